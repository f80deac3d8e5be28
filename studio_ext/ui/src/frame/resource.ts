/** Data from the server that keeps itself up to date while its view is in sight. */
import { Poll } from '@lumino/polling';
import * as React from 'react';

import { ApiError } from '../api';
import { usePage, useStudio } from './context';

/** What a view knows of its data. */
export interface IResource<T> {
  data: T | null;
  /** The last failure, kept until a request succeeds; `data` is then what was known before. */
  error: ApiError | null;
  refresh(): void;
}

/** A resource that is fetched page by page. */
export interface IPagedResource<T> extends IResource<T[]> {
  hasMore: boolean;
  isLoadingMore: boolean;
  loadMore(): void;
}

/** One page of items. */
export interface IItemPage<T> {
  items: T[];
  next: string | null;
}

/** The largest page that the server gives. */
const LARGEST_PAGE = 1000;

type Fetch<T> = (signal: AbortSignal, known: T | null) => Promise<T>;

interface IState<T> {
  key: string;
  data: T | null;
  error: ApiError | null;
}

/**
 * Fetch, and fetch again every poll interval while the page is in sight.
 *
 * `key` says what is fetched: when it changes, the old data goes away at once.
 */
export function useResource<T>(
  key: string,
  fetch: Fetch<T>
): IResource<T> & { replace(change: (known: T) => T): void } {
  const studio = useStudio();
  const page = usePage();
  const [state, setState] = React.useState<IState<T>>({
    key,
    data: null,
    error: null
  });
  const latest = React.useRef({ fetch, known: null as T | null });
  latest.current.fetch = fetch;
  const refresh = React.useRef<() => void>(() => undefined);

  React.useEffect(() => {
    const controller = new AbortController();
    latest.current.known = null;
    setState(old => (old.key === key ? old : { key, data: null, error: null }));

    const poll = new Poll<void, ApiError>({
      name: `atelier:${key}`,
      auto: true,
      frequency: {
        interval: studio.settings.pollInterval,
        backoff: true,
        max: Math.max(60_000, studio.settings.pollInterval)
      },
      standby: () => (page.isVisible ? 'when-hidden' : true),
      factory: async () => {
        try {
          const { fetch, known } = latest.current;
          const data = await fetch(controller.signal, known);
          if (!controller.signal.aborted) {
            latest.current.known = data;
            setState({ key, data, error: null });
          }
        } catch (failure) {
          if (controller.signal.aborted) {
            return;
          }
          const error =
            failure instanceof ApiError
              ? failure
              : ApiError.fromFailure(failure);
          setState(old => ({
            key,
            data: old.key === key ? old.data : null,
            error
          }));
          throw error;
        }
      }
    });
    refresh.current = () => void poll.refresh();

    const onSettings = () => {
      poll.frequency = {
        ...poll.frequency,
        interval: studio.settings.pollInterval
      };
      void poll.refresh();
    };
    const onChanged = () => void poll.refresh();
    const onVisible = (_: unknown, isVisible: boolean) => {
      if (isVisible) {
        void poll.refresh();
      }
    };
    studio.settingsChanged.connect(onSettings);
    studio.changed.connect(onChanged);
    page.visibilityChanged.connect(onVisible);
    return () => {
      studio.settingsChanged.disconnect(onSettings);
      studio.changed.disconnect(onChanged);
      page.visibilityChanged.disconnect(onVisible);
      controller.abort();
      poll.dispose();
    };
  }, [key, studio, page]);

  const replace = React.useCallback(
    (change: (known: T) => T) => {
      const { known } = latest.current;
      if (known !== null) {
        latest.current.known = change(known);
        setState({ key, data: latest.current.known, error: null });
      }
    },
    [key]
  );
  const isCurrent = state.key === key;
  return {
    data: isCurrent ? state.data : null,
    error: isCurrent ? state.error : null,
    refresh: React.useCallback(() => refresh.current(), []),
    replace
  };
}

/** Fetch the first page, the following ones on demand, and keep what has been fetched up to date. */
export function usePagedResource<T>(
  key: string,
  identify: (item: T) => string,
  fetchPage: (
    query: { limit: number; page_token: string | null },
    signal: AbortSignal
  ) => Promise<IItemPage<T>>
): IPagedResource<T> {
  const { settings } = useStudio();
  const [isLoadingMore, setLoadingMore] = React.useState(false);
  const pending = React.useRef<AbortController | null>(null);
  const [moreError, setMoreError] = React.useState<ApiError | null>(null);

  const resource = useResource<IItemPage<T>>(key, async (signal, known) => {
    const count = Math.max(settings.pageSize, known?.items.length ?? 0);
    const limit = Math.min(count, LARGEST_PAGE);
    const first = await fetchPage({ limit, page_token: null }, signal);
    return known ? mergePages(known, first, limit, identify) : first;
  });
  React.useEffect(() => {
    setMoreError(null);
    return () => pending.current?.abort();
  }, [key]);

  const { data, replace } = resource;
  const next = data?.next ?? null;
  const loadMore = () => {
    if (next === null || pending.current) {
      return;
    }
    const controller = new AbortController();
    pending.current = controller;
    setLoadingMore(true);
    fetchPage({ limit: settings.pageSize, page_token: next }, controller.signal)
      .then(page => {
        if (!controller.signal.aborted) {
          setMoreError(null);
          replace(known => appendPage(known, page, next, identify));
        }
      })
      .catch((failure: unknown) => {
        if (!controller.signal.aborted) {
          setMoreError(
            failure instanceof ApiError
              ? failure
              : ApiError.fromFailure(failure)
          );
        }
      })
      .finally(() => {
        pending.current = null;
        setLoadingMore(false);
      });
  };
  return {
    data: data?.items ?? null,
    error: resource.error ?? moreError,
    refresh: resource.refresh,
    hasMore: next !== null,
    isLoadingMore,
    loadMore
  };
}

/** The known items with their first `limit` ones replaced by what the server says now. */
export function mergePages<T>(
  known: IItemPage<T>,
  first: IItemPage<T>,
  limit: number,
  identify: (item: T) => string
): IItemPage<T> {
  if (first.next === null || known.items.length <= limit) {
    return first;
  }
  const fresh = new Set(first.items.map(identify));
  const rest = known.items.slice(limit).filter(i => !fresh.has(identify(i)));
  return { items: [...first.items, ...rest], next: known.next };
}

/** The known items followed by a page, unless something else took its place meanwhile. */
export function appendPage<T>(
  known: IItemPage<T>,
  page: IItemPage<T>,
  token: string,
  identify: (item: T) => string
): IItemPage<T> {
  if (known.next !== token) {
    return known;
  }
  const seen = new Set(known.items.map(identify));
  const added = page.items.filter(item => !seen.has(identify(item)));
  return { items: [...known.items, ...added], next: page.next };
}
