import { describe, expect, it } from 'vitest';
import { GatewayError } from '@/gateway/errors';
import { ChunkSizes } from './chunks';
import { nextStep } from './retrying';
import { SpeedMeter } from './speed';

describe('the size of parts', () => {
  it('begins below what proxies take unless told otherwise', () => {
    expect(new ChunkSizes().bytes).toBeLessThan(1 << 20);
  });

  it('grows as long as a part takes a few seconds at most', () => {
    const sizes = new ChunkSizes();
    sizes.succeeded(sizes.bytes, 0.1);
    expect(sizes.bytes).toBe(2_000_000);
    Array.from({ length: 10 }, () => sizes.succeeded(sizes.bytes, 0.1));
    expect(sizes.bytes).toBe(32_000_000);
    sizes.succeeded(sizes.bytes, 64);
    expect(sizes.bytes).toBe(2_000_000);
  });

  it('is the smallest after a failure, and does not grow to that size again', () => {
    const sizes = new ChunkSizes();
    sizes.succeeded(1_000_000, 0.1);
    sizes.succeeded(2_000_000, 0.1);
    expect(sizes.failed()).toBe(true);
    expect(sizes.bytes).toBe(ChunkSizes.smallest);
    Array.from({ length: 5 }, () => sizes.succeeded(sizes.bytes, 0.1));
    expect(sizes.bytes).toBe(2_000_000);
  });

  it('says when smaller ones are not worth a try', () => {
    expect(new ChunkSizes().failed()).toBe(false);
  });
});

describe('the speed', () => {
  it('is that of the last seconds', () => {
    const meter = new SpeedMeter();
    meter.note(0, 0);
    meter.note(1_000, 1_000);
    expect(meter.rate).toBe(1_000);
    for (let second = 2; second <= 10; second += 1) {
      meter.note(1_000 + (second - 1) * 10, second * 1_000);
    }
    expect(meter.rate).toBeCloseTo(10);
    expect(meter.secondsFor(100)).toBeCloseTo(10);
  });

  it('is not told from one moment', () => {
    const meter = new SpeedMeter();
    meter.note(0, 0);
    meter.note(500, 100);
    expect(meter.rate).toBe(0);
    expect(meter.secondsFor(100)).toBe(0);
  });

  it('begins anew where an upload goes on at an earlier place', () => {
    const meter = new SpeedMeter();
    meter.note(5_000, 0);
    meter.note(1_000, 1_000);
    expect(meter.rate).toBe(0);
  });
});

describe('after a failure', () => {
  const offline = new GatewayError('offline');

  it('a lost connection is tried again for ever, half a minute apart at last', () => {
    const seconds = [1, 2, 3, 4, 5, 6, 100].map((failures) => nextStep(offline, failures, true));
    expect(seconds.map((step) => (step.kind === 'again' ? step.seconds : -1))).toEqual([1, 2, 5, 10, 20, 30, 30]);
  });

  it('a server that says when to come back is obeyed', () => {
    expect(nextStep(new GatewayError('offline', '', 503, 12), 1, true)).toEqual({ kind: 'again', seconds: 12 });
    expect(nextStep(new GatewayError('rateLimited', '', 429, 40), 1, false)).toEqual({ kind: 'limited', seconds: 40 });
  });

  it('a faulty server gets three more tries', () => {
    const error = new GatewayError('server', '', 500);
    expect(nextStep(error, 3, true).kind).toBe('again');
    expect(nextStep(error, 4, true).kind).toBe('end');
  });

  it.each(['refused', 'tooLarge', 'infected', 'expired'] as const)('"%s" is the end', (fault) => {
    expect(nextStep(new GatewayError(fault), 1, true).kind).toBe('end');
  });
});
