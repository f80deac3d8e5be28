/** The rule board, the loss with what was found on it, and beside them the finding that is looked at. */
import * as React from 'react';

import { useStudio } from '../frame';
import { CaptureFigure } from './CaptureFigure';
import type { ICaptureView } from './DebuggerTab';
import { FindingDrawer } from './FindingDrawer';
import { RuleBoard } from './RuleBoard';
import { makeBoard } from './board';

const LOSS_HEIGHT = 340;

export function FindingsView(view: ICaptureView): React.ReactElement {
  const { trans } = useStudio();
  const { run, reply, version, isFinal } = view;
  const [selected, setSelected] = React.useState<string | null>(null);
  const board = makeBoard(reply.rules, reply.findings, 'training');
  const open = board.findings.find(({ id }) => id === selected) ?? null;
  return (
    <div className="atelier-Findings">
      <div className="atelier-Findings-main">
        <RuleBoard
          board={board}
          hasRules={reply.rules.length > 0}
          selected={open?.id ?? null}
          onSelect={setSelected}
        />
        {reply.capture?.figures.includes('loss') && (
          <CaptureFigure
            run={run}
            title={trans.__('Loss and findings')}
            request={{
              figure: 'loss',
              arguments: open ? { step: open.finding.step } : {}
            }}
            version={version}
            isFinal={isFinal}
            height={LOSS_HEIGHT}
          />
        )}
      </div>
      {open && (
        <FindingDrawer
          key={open.id}
          run={run}
          found={open}
          actions={reply.actions}
          version={version}
          isFinal={isFinal}
          onClose={() => setSelected(null)}
        />
      )}
    </div>
  );
}
