import type { Upload as RealUpload, UploadOptions } from 'tus-js-client';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ChunkSizes } from './chunks';
import type { Sendable } from './transfer';
import { tusTransfers } from './tusTransfer';

const made = vi.hoisted(() => [] as RealUpload[]);

vi.mock('tus-js-client', () => ({
  Upload: class {
    url: string | null = null;
    start = vi.fn();
    abort = vi.fn(() => Promise.resolve());

    constructor(
      public file: File,
      public options: UploadOptions,
    ) {
      made.push(this as unknown as RealUpload);
    }
  },
}));

const tell = { created: vi.fn(), progress: vi.fn(), accepted: vi.fn(), done: vi.fn(), failed: vi.fn() };

beforeEach(() => {
  made.length = 0;
  Object.values(tell).forEach((each) => each.mockReset());
});

function sendable(size: number, url = ''): Sendable {
  return { file: new File([new Uint8Array(size)], 'a.pdf'), name: 'a.pdf', type: 'application/pdf', url };
}

function open(size: number, url = '') {
  const transfer = tusTransfers('/uploads/')(sendable(size, url), tell);
  return { transfer, upload: made.at(-1) as RealUpload, options: made.at(-1)?.options as UploadOptions };
}

function answer(headers: Record<string, string>) {
  return { getHeader: (name: string) => headers[name] } as never;
}

function failure(status: number, body: string, headers: Record<string, string> = {}) {
  const originalResponse = { getStatus: () => status, getBody: () => body, getHeader: (name: string) => headers[name] };
  return Object.assign(new Error(), { originalRequest: {}, originalResponse }) as never;
}

it('sends a small file with its creation, and asks first with a large one', () => {
  expect(open(10).options.uploadDataDuringCreation).toBe(true);
  expect(open(2_000_000).options.uploadDataDuringCreation).toBe(false);
});

it('names the file, and tells its address and until when it is kept', () => {
  const { upload, options } = open(10);
  expect(options.metadata).toEqual({ filename: 'a.pdf', filetype: 'application/pdf' });
  options.onAfterResponse?.({} as never, answer({ 'Upload-Expires': 'Mon, 23 Nov 2026 18:00:00 GMT' }));
  upload.url = 'https://host/uploads/1';
  options.onUploadUrlAvailable?.();
  expect(tell.created).toHaveBeenCalledWith('https://host/uploads/1', Date.UTC(2026, 10, 23, 18));
  expect(upload.options.endpoint).toBeNull();
});

it('goes on at an address, and never starts anew by itself', () => {
  const { options } = open(10, '/uploads/1');
  expect(options).toMatchObject({ endpoint: null, uploadUrl: '/uploads/1', retryDelays: null });
});

it('gives the token that any of the answers carried', () => {
  const { options } = open(10);
  options.onAfterResponse?.({} as never, answer({ 'Osis-Write-Token': 'token' }));
  options.onAfterResponse?.({} as never, answer({}));
  options.onSuccess?.({} as never);
  expect(tell.done).toHaveBeenCalledWith('token');
});

it('counts an upload without a token as failed', () => {
  open(10).options.onSuccess?.({} as never);
  expect(tell.failed.mock.calls[0]?.[0]).toMatchObject({ fault: 'server' });
});

it('asks for larger parts as they go well', () => {
  const { upload, options } = open(5_000_000);
  options.onBeforeRequest?.({} as never);
  options.onChunkComplete?.(ChunkSizes.smallest, ChunkSizes.smallest, 5_000_000);
  expect(upload.options.chunkSize).toBe(2 * ChunkSizes.smallest);
  expect(tell.accepted).toHaveBeenCalledWith(ChunkSizes.smallest);
});

describe('a failure', () => {
  it("has the gateway's reason and its wait", () => {
    open(10).options.onError?.(failure(429, '{"detail": "Too many."}', { 'Retry-After': '9' }));
    expect(tell.failed.mock.calls[0]?.[0]).toMatchObject({ fault: 'rateLimited', waitSeconds: 9 });
    open(10).options.onError?.(failure(413, '{"error": "At most 5 MB."}'));
    expect(tell.failed.mock.calls[1]?.[0]).toMatchObject({ fault: 'tooLarge', reason: 'At most 5 MB.' });
  });

  it('can be an answer that is none of the gateway', () => {
    open(10).options.onError?.(failure(200, '<html>Log in to the network</html>'));
    expect(tell.failed.mock.calls[0]?.[0]).toMatchObject({ fault: 'server' });
  });

  it('without an answer is a lost connection', () => {
    open(10).options.onError?.(Object.assign(new Error(), { originalRequest: {}, originalResponse: null }) as never);
    expect(tell.failed.mock.calls[0]?.[0]).toMatchObject({ fault: 'offline' });
  });

  it('of a proxy that takes no long bodies is tried again in smaller parts', () => {
    const { options } = open(5_000_000);
    options.onBeforeRequest?.({} as never);
    options.onChunkComplete?.(ChunkSizes.smallest, ChunkSizes.smallest, 5_000_000);
    options.onError?.(failure(413, '<html>413 Request Entity Too Large</html>'));
    expect(tell.failed.mock.calls[0]?.[0]).toMatchObject({ fault: 'offline' });
  });

  it('of a proxy that takes not even small ones is the end', () => {
    open(5_000_000).options.onError?.(failure(413, '<html></html>'));
    expect(tell.failed.mock.calls[0]?.[0]).toMatchObject({ fault: 'tooLarge' });
  });
});

it('removes from the server what was sent in an earlier attempt', async () => {
  const { transfer, upload } = open(10, '/uploads/1');
  await transfer.cancel();
  expect(upload.url).toBe('/uploads/1');
  expect(upload.abort).toHaveBeenCalledWith(true);
});
