import { beforeEach, expect, it, vi } from 'vitest';
import { type RememberedUpload, UploadMemory } from './memory';

beforeEach(() => sessionStorage.clear());

function upload(changes: Partial<RememberedUpload> = {}): RememberedUpload {
  const expires = Date.now() + 60_000;
  const file = { name: 'a.pdf', size: 10, type: 'application/pdf', lastModified: 5 };
  return { id: '1', ...file, url: '/uploads/1', token: '', sent: 4, expires, ...changes };
}

it('remembers uploads of one field of one page, in their order', () => {
  const memory = new UploadMemory('/form/', 'files');
  memory.keep(upload());
  memory.keep(upload({ id: '2' }));
  memory.keep(upload({ sent: 9 }));
  const again = new UploadMemory('/form/', 'files').all();
  expect(again.map(({ id, sent }) => [id, sent])).toEqual([
    ['1', 9],
    ['2', 4],
  ]);
  expect(new UploadMemory('/form/', 'others').all()).toEqual([]);
  expect(new UploadMemory('/other/', 'files').all()).toEqual([]);
});

it('forgets what is removed, and what has expired', () => {
  const memory = new UploadMemory('/form/', 'files');
  memory.keep(upload());
  memory.keep(upload({ id: '2' }));
  memory.forget('1');
  expect(memory.all().map(({ id }) => id)).toEqual(['2']);
  vi.useFakeTimers({ now: Date.now() + 61_000 });
  expect(memory.all()).toEqual([]);
  vi.useRealTimers();
  memory.forget('2');
  expect(sessionStorage.length).toBe(0);
});

it('has what was submitted only for somebody who comes back to the form', () => {
  const memory = new UploadMemory('/form/', 'files');
  memory.keep(upload());
  memory.submitted();
  memory.keep(upload({ id: '2' }));
  memory.begin(true);
  expect(memory.all().map(({ id }) => id)).toEqual(['1', '2']);
  memory.begin(false);
  expect(memory.all().map(({ id }) => id)).toEqual(['2']);
});

it('passes over what somebody else has written there', () => {
  const memory = new UploadMemory('/form/', 'files');
  memory.keep(upload());
  const key = sessionStorage.key(0) as string;
  sessionStorage.setItem(key, '[{"id": 3}, null, 4]');
  expect(memory.all()).toEqual([]);
  sessionStorage.setItem(key, '{');
  expect(memory.all()).toEqual([]);
});

it('does without where nothing can be stored', () => {
  const full = {
    getItem: () => null,
    setItem: () => {
      throw new DOMException('full', 'QuotaExceededError');
    },
  } as unknown as Storage;
  new UploadMemory('/form/', 'files', full).keep(upload());
  const none = new UploadMemory('/form/', 'files', null);
  none.keep(upload());
  expect(none.all()).toEqual([]);
});
