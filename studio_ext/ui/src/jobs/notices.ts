/** Tells when jobs end, and of findings, wherever in JupyterLab somebody is. */
import { Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Poll } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';

import type { JobRecord } from '../api';
import { formatDuration } from '../components';
import type { IStudio } from '../frame';
import { endedJobs } from './calls';
import { stateLabel, toneOf } from './state';

export type NoticeMode = 'jupyterlab' | 'desktop' | 'off';

/** Jobs that are told of one by one; of more, only their number is told. */
const MAX_TOLD = 3;
const LONG_AGO = 2 ** 53;

/** Something to tell of that is no end of a job. */
export interface INotice {
  title: string;
  text: string;
  link: string;
  isBad: boolean;
}

export class Notices {
  constructor(
    private readonly _studio: IStudio,
    private readonly _lookElsewhere: (
      since: number
    ) => Promise<{ notices: readonly INotice[]; now: number }>
  ) {
    this._poll = new Poll({
      name: 'atelier:ended-jobs',
      auto: false,
      frequency: {
        interval: _studio.settings.pollInterval,
        backoff: true,
        max: 300_000
      },
      // A notification of the desktop is for those who look elsewhere.
      standby: () =>
        this.mode === 'off'
          ? true
          : this.mode === 'desktop'
            ? 'never'
            : 'when-hidden',
      factory: () => this._look()
    });
  }

  /** Emitted when the user has chosen another mode. */
  get modeChanged(): ISignal<this, void> {
    return this._modeChanged;
  }

  /** Begin to tell, as the settings say; null for the default. */
  async begin(settings: ISettingRegistry.ISettings | null): Promise<void> {
    this._settings = settings;
    settings?.changed.connect(() => this._modeChanged.emit());
    this._modeChanged.emit();
    await this._poll.start();
  }

  get mode(): NoticeMode {
    return (
      (this._settings?.composite.notifications as NoticeMode | undefined) ??
      'jupyterlab'
    );
  }

  /** Turn notifications of the desktop on, if the browser permits them, or off. */
  async setDesktop(isOn: boolean): Promise<void> {
    const { trans } = this._studio;
    if (isOn && (await this._permission()) !== 'granted') {
      Notification.warning(
        trans.__(
          'The browser does not permit notifications of this page. Allow them in its settings for this address, then turn them on again.'
        ),
        { autoClose: 8000 }
      );
      return;
    }
    await this._settings?.set('notifications', isOn ? 'desktop' : 'jupyterlab');
    await this._poll.refresh();
  }

  private async _permission(): Promise<NotificationPermission> {
    return 'Notification' in window
      ? window.Notification.requestPermission()
      : 'denied';
  }

  private async _look(): Promise<void> {
    await Promise.all([this._lookAtJobs(), this._lookAtOthers()]);
  }

  private async _lookAtOthers(): Promise<void> {
    const { trans } = this._studio;
    const reply = await this._lookElsewhere(this._noticesSince ?? LONG_AGO);
    this._noticesSince = reply.now;
    for (const notice of reply.notices.slice(-MAX_TOLD)) {
      const open = () => this._studio.open(notice.link);
      const emit = notice.isBad ? Notification.error : Notification.warning;
      emit(`${notice.title}\n${notice.text}`, {
        autoClose: 10_000,
        actions: [{ label: trans.__('Open run'), callback: open }]
      });
      this._show(notice.title, notice.text, notice.link, open);
    }
  }

  private async _lookAtJobs(): Promise<void> {
    const { client } = this._studio;
    // The first question only asks what time the server has.
    const reply = await endedJobs(client, this._since ?? LONG_AGO);
    this._since = reply.now;
    const jobs = reply.jobs.filter(job => !this._told.has(job.name));
    jobs.forEach(job => this._told.add(job.name));
    if (jobs.length > MAX_TOLD) {
      this._tellMany(jobs.length);
    } else {
      jobs.forEach(job => this._tell(job));
    }
  }

  private _tell(job: JobRecord): void {
    const { trans } = this._studio;
    const open = () => this._studio.open(`job/${job.name}`);
    const tone = toneOf(job.state);
    const took =
      job.running_at !== null && job.ended_at !== null
        ? trans.__(' after %1', formatDuration(job.ended_at - job.running_at))
        : '';
    const title = `${job.name}: ${stateLabel(job.state, trans)}${took}`;
    const text =
      tone === 'bad' && job.reason ? `${title}\n${job.reason}` : title;
    Notification.emit(
      text,
      tone === 'good' ? 'success' : tone === 'bad' ? 'error' : 'info',
      {
        autoClose: 10_000,
        actions: [{ label: trans.__('Open job'), callback: open }]
      }
    );
    this._show(title, tone === 'bad' ? job.reason : '', job.name, open);
  }

  private _tellMany(count: number): void {
    const { trans } = this._studio;
    const open = () => this._studio.open('jobs');
    const title = trans.__('%1 jobs have ended', count);
    Notification.info(title, {
      autoClose: 10_000,
      actions: [{ label: trans.__('Open jobs'), callback: open }]
    });
    this._show(title, '', 'many', open);
  }

  private _show(
    title: string,
    body: string,
    name: string,
    open: () => void
  ): void {
    if (
      this.mode !== 'desktop' ||
      !('Notification' in window) ||
      window.Notification.permission !== 'granted'
    ) {
      return;
    }
    const shown = new window.Notification(title, {
      body,
      tag: `atelier-job-${name}`
    });
    shown.onclick = () => {
      window.focus();
      open();
      shown.close();
    };
  }

  private readonly _poll: Poll;
  private readonly _told = new Set<string>();
  private readonly _modeChanged = new Signal<this, void>(this);
  private _settings: ISettingRegistry.ISettings | null = null;
  private _since: number | null = null;
  private _noticesSince: number | null = null;
}
