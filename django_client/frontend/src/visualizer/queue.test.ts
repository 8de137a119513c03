import { expect, it } from 'vitest';
import { Queue } from './queue';

it('runs a few at once, in the order in which they came', async () => {
  const queue = new Queue(2);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const tasks = [0, 1, 2, 3].map((number) =>
    queue.run(() => {
      begun.push(number);
      return new Promise<number>((end) => {
        ends[number] = () => end(number);
      });
    }),
  );
  expect(begun).toEqual([0, 1]);
  ends[1]?.();
  await tasks[1];
  await Promise.resolve();
  expect(begun).toEqual([0, 1, 2]);
  ends[0]?.();
  ends[2]?.();
  await tasks[2];
  ends[3]?.();
  expect(await Promise.all(tasks)).toEqual([0, 1, 2, 3]);
});

it('one that fails gives its place to the next', async () => {
  const queue = new Queue(1);
  const failing = queue.run(() => Promise.reject(new Error('no')));
  const next = queue.run(() => Promise.resolve('yes'));
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('yes');
});
