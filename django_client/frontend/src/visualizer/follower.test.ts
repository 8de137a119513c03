import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GatewayError } from '@/gateway/errors';
import type { Progress } from '@/gateway/gateway';
import { Follower, type Standing } from './follower';

const pending = (progress: number): Progress => ({ progress, wanted_post_process_status: 'PENDING' });

let hidden = false;
let told: Standing[];
let follower: Follower;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(document, 'hidden', 'get').mockImplementation(() => hidden);
  hidden = false;
  told = [];
});

afterEach(() => {
  follower.stop();
  vi.useRealTimers();
});

function follow(ask: () => Promise<Progress>) {
  const asked = vi.fn(ask);
  follower = new Follower(asked, (standing) => told.push(standing));
  follower.start();
  return asked;
}

/** Answers one after the other, the last one for ever. */
function answers(...list: (Progress | Error)[]) {
  let index = 0;
  return () => {
    const next = list[Math.min(index++, list.length - 1)] as Progress | Error;
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
  };
}

function turnPage(toHidden: boolean): void {
  hidden = toHidden;
  document.dispatchEvent(new Event('visibilitychange'));
}

it('is told how far it is until it is there', async () => {
  const asked = follow(
    answers(pending(0), pending(50), { progress: 100, wanted_post_process_status: 'DONE', token: 'new' }),
  );
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told).toEqual([
    { kind: 'pending', percent: 0 },
    { kind: 'pending', percent: 50 },
    { kind: 'done', token: 'new' },
  ]);
  expect(asked).toHaveBeenCalledTimes(3);
});

it('one that is done without a token is told as such', async () => {
  follow(answers({ progress: 100, wanted_post_process_status: 'DONE' }));
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual([{ kind: 'done', token: '' }]);
});

it('a failure is told with its reasons, and ends it', async () => {
  const errors = { params: {}, messages: ['The file is protected by a password.'] };
  const asked = follow(answers({ progress: 40, wanted_post_process_status: 'FAILED', failed: true, errors }));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told).toEqual([{ kind: 'failed', reasons: ['The file is protected by a password.'] }]);
  expect(asked).toHaveBeenCalledOnce();
});

it('asks less and less often while nothing moves, and often again when something does', async () => {
  const asked = follow(answers(...Array<Progress>(12).fill(pending(10)), pending(20)));
  await vi.advanceTimersByTimeAsync(2_000);
  const soon = asked.mock.calls.length;
  await vi.advanceTimersByTimeAsync(60_000);
  const later = asked.mock.calls.length - soon;
  expect(soon).toBe(2);
  expect(later).toBeLessThan(10);
  await vi.advanceTimersByTimeAsync(60_000);
  const moved = told.findIndex((standing) => standing.kind === 'pending' && standing.percent === 20);
  expect(moved).toBeGreaterThan(0);
});

it('never goes back, whatever the server says', async () => {
  follow(answers(pending(60), pending(40)));
  await vi.advanceTimersByTimeAsync(5_000);
  expect(told.at(-1)).toEqual({ kind: 'pending', percent: 60 });
});

describe('while nobody looks at the page', () => {
  it('it does not ask, and asks at once when somebody does', async () => {
    const asked = follow(answers(pending(10)));
    await vi.advanceTimersByTimeAsync(0);
    turnPage(true);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(asked).toHaveBeenCalledTimes(1);
    turnPage(false);
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it('it does not even begin', async () => {
    hidden = true;
    const asked = follow(answers(pending(10)));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).not.toHaveBeenCalled();
  });
});

it('keeps trying while the server does not answer, and says so', async () => {
  const offline = new GatewayError('offline');
  follow(answers(pending(30), offline, pending(40)));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(told.slice(0, 3)).toEqual([
    { kind: 'pending', percent: 30 },
    { kind: 'pending', percent: 30, trouble: offline },
    { kind: 'pending', percent: 40 },
  ]);
});

it('waits as long as the server wants', async () => {
  const asked = follow(answers(new GatewayError('rateLimited', '', 429, 120), pending(1)));
  await vi.advanceTimersByTimeAsync(119_000);
  expect(asked).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked).toHaveBeenCalledTimes(2);
});

it('gives up when the link is no longer good', async () => {
  const expired = new GatewayError('expired');
  const asked = follow(answers(expired));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told).toEqual([{ kind: 'lost', error: expired }]);
  expect(asked).toHaveBeenCalledOnce();
});

it('tells nothing after it was stopped', async () => {
  let answer: (progress: Progress) => void = () => undefined;
  follow(() => new Promise((resolve) => (answer = resolve)));
  follower.stop();
  answer(pending(50));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told).toEqual([]);
});
