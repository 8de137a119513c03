import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GatewayError } from '@/gateway/errors';
import { type UploadJob, UploadQueue } from './queue';
import type { Transfer, TransferListener } from './transfer';

interface Opened extends Transfer {
  job: UploadJob;
  tell: TransferListener;
}

function job(name: string, size = 100): UploadJob {
  return {
    name,
    size,
    type: '',
    file: new File(['x'], name),
    url: '',
    phase: 'chosen',
    sent: 0,
    rate: 0,
    remaining: 0,
    goesOnAt: 0,
    expires: 0,
    error: null,
  };
}

let opened: Opened[];
let queue: UploadQueue<UploadJob>;
const events = { safe: vi.fn(), done: vi.fn(), failed: vi.fn() };

beforeEach(() => {
  vi.useFakeTimers();
  opened = [];
  Object.values(events).forEach((each) => each.mockReset());
  queue = new UploadQueue((sendable, tell) => {
    const cancel = vi.fn(() => Promise.resolve());
    opened.push({ job: sendable as UploadJob, tell, start: vi.fn(), stop: vi.fn(), cancel });
    return opened.at(-1) as Opened;
  }, events);
});

afterEach(() => {
  queue.stop();
  vi.useRealTimers();
});

function add(...names: string[]): UploadJob[] {
  const jobs = names.map((name) => job(name));
  jobs.forEach((each) => queue.add(each));
  return jobs;
}

function latest(of: UploadJob | undefined): Opened {
  return opened.findLast((each) => each.job === of) as Opened;
}

function phases(jobs: UploadJob[]): string[] {
  return jobs.map(({ phase }) => phase);
}

it('sends three at a time, and the next when one is done', () => {
  const jobs = add('a', 'b', 'c', 'd');
  expect(phases(jobs)).toEqual(['sending', 'sending', 'sending', 'queued']);
  latest(jobs[1]).tell.done('token');
  expect(phases(jobs)).toEqual(['sending', 'sent', 'sending', 'sending']);
  expect(events.done).toHaveBeenCalledWith(jobs[1], 'token');
});

it('tells rate and remaining time', () => {
  const [a] = add('a');
  latest(a).tell.progress(0);
  vi.advanceTimersByTime(1000);
  latest(a).tell.progress(25);
  expect(a).toMatchObject({ sent: 25, rate: 25, remaining: 3 });
});

describe('a lost connection', () => {
  it('is waited out, longer each time, and the upload goes on at its address', () => {
    const [a] = add('a');
    latest(a).tell.created('/uploads/1', 0);
    latest(a).tell.failed(new GatewayError('offline'));
    expect(a?.phase).toBe('waiting');
    vi.advanceTimersByTime(1000);
    expect(a?.phase).toBe('sending');
    expect(latest(a).job.url).toBe('/uploads/1');
    latest(a).tell.failed(new GatewayError('offline'));
    vi.advanceTimersByTime(1000);
    expect(a?.phase).toBe('waiting');
    vi.advanceTimersByTime(1000);
    expect(a?.phase).toBe('sending');
  });

  it('keeps the others from failing one after the other', () => {
    const jobs = add('a', 'b', 'c', 'd');
    jobs.slice(0, 3).forEach((each) => latest(each).tell.failed(new GatewayError('offline')));
    expect(phases(jobs)).toEqual(['waiting', 'waiting', 'waiting', 'queued']);
  });

  it('is over when the browser says so', () => {
    const [a] = add('a');
    latest(a).tell.failed(new GatewayError('offline'));
    queue.online();
    expect(a?.phase).toBe('sending');
  });

  it('that nobody tells of is noticed by the silence', () => {
    const [a] = add('a');
    const silent = latest(a);
    vi.advanceTimersByTime(120_000);
    expect(silent.stop).toHaveBeenCalled();
    expect(latest(a)).not.toBe(silent);
    silent.tell.done('late'); // what the old attempt says no longer counts
    expect(events.done).not.toHaveBeenCalled();
  });
});

describe('a rate limit', () => {
  it('makes all that were not created wait, and they go on by themselves', () => {
    const jobs = add('a', 'b', 'c', 'd');
    latest(jobs[0]).tell.created('/uploads/1', 0);
    latest(jobs[1]).tell.failed(new GatewayError('rateLimited', '', 429, 7));
    expect(phases(jobs)).toEqual(['sending', 'limited', 'sending', 'limited']);
    expect(jobs[3]?.goesOnAt).toBe(Date.now() + 7000);
    vi.advanceTimersByTime(6900);
    expect(jobs[1]?.phase).toBe('limited');
    vi.advanceTimersByTime(200);
    expect(phases(jobs)).toEqual(['sending', 'sending', 'sending', 'queued']);
  });

  it('of an upload that is there already is waited out, too', () => {
    const [a] = add('a');
    latest(a).tell.created('/uploads/1', 0);
    latest(a).tell.failed(new GatewayError('rateLimited', '', 429, 7));
    expect(a?.phase).toBe('limited');
    expect(opened).toHaveLength(1);
    vi.advanceTimersByTime(7100);
    expect(a?.phase).toBe('sending');
  });

  it('never becomes a failure', () => {
    const [a] = add('a');
    for (let time = 0; time < 20; time += 1) {
      latest(a).tell.failed(new GatewayError('rateLimited', '', 429, 1));
      vi.advanceTimersByTime(1100);
    }
    expect(a?.phase).toBe('sending');
  });
});

describe('a refusal', () => {
  it('ends the upload with its reason', () => {
    const [a] = add('a');
    const error = new GatewayError('refused', 'Not this kind.', 400);
    latest(a).tell.failed(error);
    expect(a).toMatchObject({ phase: 'failed', error });
    expect(events.failed).toHaveBeenCalledWith(a);
  });

  it('of the content keeps its reason when the server has forgotten the upload meanwhile', () => {
    const [a] = add('a');
    latest(a).tell.created('/uploads/1', 0);
    const mismatch = new GatewayError('changed', 'The content does not match.', 409);
    latest(a).tell.failed(mismatch);
    vi.advanceTimersByTime(0);
    latest(a).tell.failed(new GatewayError('missing', '', 404));
    expect(a).toMatchObject({ phase: 'failed', error: mismatch });
  });

  it('can be tried again', () => {
    const [a] = add('a');
    latest(a).tell.failed(new GatewayError('refused', 'No.', 400));
    queue.add(a as UploadJob);
    expect(a).toMatchObject({ phase: 'sending', error: null });
  });
});

it('starts over once where the server has forgotten the upload', () => {
  const [a] = add('a');
  latest(a).tell.created('/uploads/1', 0);
  latest(a).tell.progress(40);
  latest(a).tell.failed(new GatewayError('missing', '', 404));
  expect(a).toMatchObject({ phase: 'sending', url: '', sent: 0 });
});

it('pauses, lets another go first, and goes on', () => {
  const jobs = add('a', 'b', 'c', 'd');
  queue.pause(jobs[0] as UploadJob);
  expect(latest(jobs[0]).stop).toHaveBeenCalled();
  expect(phases(jobs)).toEqual(['paused', 'sending', 'sending', 'sending']);
  queue.add(jobs[0] as UploadJob);
  expect(jobs[0]?.phase).toBe('queued');
});

it('cancels on the server what was created there, whether it moves or not', async () => {
  const [a, b, c] = add('a', 'b', 'c');
  latest(a).tell.created('/uploads/1', 0);
  const running = latest(a);
  await queue.cancel(a as UploadJob);
  expect(running.cancel).toHaveBeenCalledOnce();
  latest(b).tell.created('/uploads/2', 0);
  queue.pause(b as UploadJob);
  await queue.cancel(b as UploadJob);
  expect(latest(b).cancel).toHaveBeenCalledOnce();
  const before = opened.length;
  await queue.cancel(c as UploadJob);
  expect(opened).toHaveLength(before);
  expect(latest(c).cancel).not.toHaveBeenCalled();
});
