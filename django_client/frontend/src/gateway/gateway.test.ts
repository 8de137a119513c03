import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Gateway } from './gateway';

const fetched = vi.fn<(url: string, init: RequestInit) => Promise<Response>>();
const gateway = new Gateway('https://primary.example/documents');

beforeEach(() => {
  vi.stubGlobal('fetch', fetched);
  answer({});
});

afterEach(() => {
  vi.unstubAllGlobals();
  fetched.mockReset();
});

function answer(body: unknown, init: ResponseInit = {}): void {
  fetched.mockImplementation(() => Promise.resolve(new Response(JSON.stringify(body), init)));
}

function lastCall() {
  const [url, init] = fetched.mock.lastCall ?? ['', {}];
  return { url, ...init };
}

it('the base address may lack its slash', () => {
  expect(new Gateway('/documents').uploadsUrl).toBe('/documents/uploads/');
  expect(new Gateway('/documents/').uploadsUrl).toBe('/documents/uploads/');
});

it('a token may have any characters', () => {
  expect(gateway.fileUrl('a/b?c d')).toBe('https://primary.example/documents/file/a%2Fb%3Fc%20d');
  expect(gateway.fileUrl('a', { download: true })).toBe('https://primary.example/documents/file/a?dl=1');
});

it('asks without cookies', async () => {
  answer({ name: 'a.txt' });
  expect(await gateway.metadata('t')).toEqual({ name: 'a.txt' });
  expect(lastCall()).toMatchObject({ url: 'https://primary.example/documents/metadata/t', credentials: 'omit' });
});

it('renames with a JSON body', async () => {
  await gateway.rename('t', 'b.txt');
  expect(lastCall()).toMatchObject({
    url: 'https://primary.example/documents/change-metadata/t',
    method: 'POST',
    body: '{"name":"b.txt"}',
    headers: { 'Content-Type': 'application/json' },
  });
});

it('a turned image has a new token', async () => {
  answer({ token: 'next' });
  expect(await gateway.rotateImage('t', 90)).toBe('next');
  expect(lastCall().body).toBe('{"rotate":90}');
});

it('an edit is sent with its rotations before its file', async () => {
  answer({ token: 'next' });
  expect(await gateway.saveEdit('t', new Blob(['%PDF']), 'a.pdf', { 0: 90 })).toBe('next');
  const form = lastCall().body as FormData;
  expect([...form.keys()]).toEqual(['rotations', 'file']);
  expect(form.get('rotations')).toBe('{"0":90}');
  expect((form.get('file') as File).name).toBe('a.pdf');
});

it('progress is asked for at the address that the page was given', async () => {
  answer({ progress: 50, wanted_post_process_status: 'PENDING' }, { status: 202 });
  const address = 'https://primary.example/documents/get-progress-async-post-processing/1?signature=x';
  expect((await gateway.progress(address)).progress).toBe(50);
  expect(lastCall().url).toBe(address);
});

it('no answer at all is told as such', async () => {
  fetched.mockRejectedValue(new TypeError('Failed to fetch'));
  await expect(gateway.metadata('t')).rejects.toMatchObject({ fault: 'offline', status: 0 });
});

it('a request that was given up stays one', async () => {
  fetched.mockRejectedValue(new DOMException('', 'AbortError'));
  await expect(gateway.bytes('t', new AbortController().signal)).rejects.toMatchObject({ name: 'AbortError' });
});

it('a refusal carries its reason and how long to wait', async () => {
  answer({ detail: 'Slower.' }, { status: 429, headers: { 'Retry-After': '7' } });
  await expect(gateway.metadata('t')).rejects.toMatchObject({
    fault: 'rateLimited',
    reason: 'Slower.',
    status: 429,
    waitSeconds: 7,
  });
});
