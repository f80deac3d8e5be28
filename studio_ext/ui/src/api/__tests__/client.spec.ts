/** The client: its addresses, its errors and the version handshake. */
import { ServerConnection } from '@jupyterlab/services';

import { ApiError, Client } from '..';

type Answer = { status?: number; body?: string; version?: string };

/** A client whose server always gives the same answer. */
function clientOf(answer: Answer | Error, version = '1.0.0') {
  const requests: Request[] = [];
  const fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
    requests.push(new Request(input, init));
    if (answer instanceof Error) {
      throw answer;
    }
    const headers: { [name: string]: string } = answer.version
      ? { 'X-Atelier-Version': answer.version }
      : {};
    return new Response(answer.body ?? '{}', {
      status: answer.status ?? 200,
      headers
    });
  };
  const serverSettings = ServerConnection.makeSettings({
    baseUrl: 'http://localhost:8888/hub/user/',
    fetch
  });
  return { client: new Client({ serverSettings, version }), requests };
}

async function failureOf(promise: Promise<unknown>): Promise<ApiError> {
  const failure = await promise.then(
    () => null,
    (reason: unknown) => reason
  );
  expect(failure).toBeInstanceOf(ApiError);
  return failure as ApiError;
}

describe('Client', () => {
  it('asks below the base URL of the server and encodes names and filters', async () => {
    const { client, requests } = clientOf({});
    await client.runs({
      experiment: 'census',
      filter: 'metrics.auc > 0.9',
      order_by: ['metrics.auc DESC', 'name'],
      limit: 50,
      page_token: null
    });
    const url = new URL(requests[0].url);
    expect(url.pathname).toBe('/hub/user/studio/api/runs');
    expect(url.searchParams.get('filter')).toBe('metrics.auc > 0.9');
    expect(url.searchParams.getAll('order_by')).toEqual([
      'metrics.auc DESC',
      'name'
    ]);
    expect(url.searchParams.has('page_token')).toBe(false);
  });

  it('sends the body of a decision', async () => {
    const { client, requests } = clientOf({});
    await client.decide('census', 3, { status: 'Approved', note: 'good' });
    expect(requests[0].method).toBe('PUT');
    expect(requests[0].url).toContain('models/census/versions/3/approval');
    expect(await requests[0].json()).toEqual({
      status: 'Approved',
      note: 'good'
    });
  });

  it('passes on the error that the server names', async () => {
    const { client } = clientOf({
      status: 404,
      body: '{"error": {"code": "NotFoundError", "message": "There is no run x."}}'
    });
    const failure = await failureOf(client.run('x'));
    expect(failure.code).toBe('NotFoundError');
    expect(failure.message).toBe('There is no run x.');
    expect(failure.status).toBe(404);
  });

  it('explains a reply that is not JSON and keeps its text as details', async () => {
    const { client } = clientOf({ status: 502, body: '<h1>Bad gateway</h1>' });
    const failure = await failureOf(client.home());
    expect(failure.message).toContain('502');
    expect(failure.details).toContain('Bad gateway');
  });

  it('says what to do when the extension is not there', async () => {
    const { client } = clientOf({ status: 404, body: '<html></html>' });
    expect((await failureOf(client.home())).message).toContain(
      'atelier doctor'
    );
  });

  it('says that the server does not answer', async () => {
    const { client } = clientOf(new TypeError('Failed to fetch'));
    const failure = await failureOf(client.home());
    expect(failure.code).toBe('NetworkError');
    expect(failure.status).toBe(0);
  });

  it('notices a server of another version once', async () => {
    const { client } = clientOf({ version: '2.0.0' });
    const versions: string[] = [];
    client.staleChanged.connect((_, version) => versions.push(version));
    await client.home();
    await client.home();
    expect(versions).toEqual(['2.0.0']);
    expect(client.serverVersion).toBe('2.0.0');
  });

  it('is content with a server of its own version', async () => {
    const { client } = clientOf({ version: '1.0.0' });
    await client.home();
    expect(client.serverVersion).toBeNull();
  });
});
