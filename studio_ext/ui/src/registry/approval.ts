/** The decision on a model version: asked for with a note, and sent. */
import { InputDialog } from '@jupyterlab/apputils';

import type { VersionRecord } from '../api';
import type { IAction } from '../components/Button';
import type { IStudio } from '../frame/tokens';

/** Ask for a note and record the decision; nothing happens if the user cancels. */
export async function decideVersion(
  studio: IStudio,
  version: VersionRecord,
  status: 'Approved' | 'Rejected',
  action: IAction
): Promise<void> {
  const { client, trans } = studio;
  const isApproval = status === 'Approved';
  const answer = await InputDialog.getText({
    title: isApproval
      ? trans.__('Approve %1 version %2', version.model, version.version)
      : trans.__('Reject %1 version %2', version.model, version.version),
    label: trans.__('Note for those who come later (optional)'),
    placeholder: isApproval
      ? trans.__('What was checked')
      : trans.__('What is missing'),
    okLabel: isApproval ? trans.__('Approve') : trans.__('Reject')
  });
  if (answer.button.accept) {
    const note = (answer.value ?? '').trim();
    await action.run(() =>
      client.decide(version.model, version.version, { status, note })
    );
  }
}
