// @vitest-environment node
import { afterEach, expect, it, vi } from 'vitest';
import { RangeSource } from './rangeSource';

const file = Uint8Array.from({ length: 100 }, (_, index) => index);

function answering(...answers: (() => Response)[]) {
  const fetched = vi.fn<typeof fetch>(async () => (answers.shift() ?? part)());
  vi.stubGlobal('fetch', fetched);
  return fetched;
}

function part(): Response {
  return new Response(file.slice(10, 20), { status: 206 });
}

function source() {
  const delivered = vi.fn<(begin: number, bytes: Uint8Array) => void>();
  const failed = vi.fn();
  return { delivered, failed, source: new RangeSource('/file/token', delivered, failed) };
}

afterEach(() => vi.unstubAllGlobals());

it('fetches the part that is requested', async () => {
  const fetched = answering();
  const { delivered, source: it } = source();
  it.request(10, 20);
  await vi.waitFor(() => expect(delivered).toHaveBeenCalledWith(10, file.slice(10, 20)));
  expect(fetched).toHaveBeenCalledWith('/file/token', expect.objectContaining({ headers: { Range: 'bytes=10-19' } }));
});

it('takes its part of a whole file, where a server knows no ranges', async () => {
  answering(() => new Response(file));
  const { delivered, source: it } = source();
  it.request(40, 50);
  await vi.waitFor(() => expect(delivered).toHaveBeenCalledWith(40, file.slice(40, 50)));
});

it('tells why a part cannot be fetched, and fetches it when it is tried again', async () => {
  const fetched = answering(() => new Response('{}', { status: 403 }), part);
  const { delivered, failed, source: it } = source();
  it.request(10, 20);
  await vi.waitFor(() => expect(failed).toHaveBeenCalledWith(expect.objectContaining({ fault: 'expired' })));
  it.retry();
  it.retry();
  await vi.waitFor(() => expect(delivered).toHaveBeenCalledOnce());
  it.retry();
  expect(fetched).toHaveBeenCalledTimes(2);
});

it('takes a lost connection for one', async () => {
  answering(() => {
    throw new TypeError('Failed to fetch');
  });
  const { failed, source: it } = source();
  it.request(10, 20);
  await vi.waitFor(() => expect(failed).toHaveBeenCalledWith(expect.objectContaining({ fault: 'offline' })));
});
