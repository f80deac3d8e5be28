/** What the processes of an endpoint print. */
import * as React from 'react';

import type { EndpointRecord } from '../api';
import { ErrorBar } from '../components';
import { LogPanel, useLog } from '../components/log';
import { useResource, useStudio } from '../frame';
import { endpointLog } from './calls';

/** Behind the end of any log: a page from there on has no lines, but tells how long the log is. */
const BEHIND = Number.MAX_SAFE_INTEGER;

export function EndpointLog(props: {
  endpoint: EndpointRecord;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const { name, created_at } = props.endpoint;
  const source = React.useMemo(
    () => endpointLog(client, props.endpoint),
    [client, name, created_at]
  );
  const log = useLog(source, true);
  const size = useResource(`endpoint-log/${source.key}`, async signal => {
    const page = await source.read({ offset: BEHIND, limit: 64 }, signal);
    return page.size;
  });
  React.useEffect(() => {
    if (size.data !== null) {
      log.reach(size.data);
    }
  }, [size.data]);
  return (
    <>
      {log.error === null && (
        <ErrorBar error={size.error} prefix={trans.__('Not up to date:')} />
      )}
      <LogPanel source={source} log={log} isOpen={true} />
    </>
  );
}
