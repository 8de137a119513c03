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

it('few at once means few at once', async () => {
  const queue = new Queue(2);
  let [running, most] = [0, 0];
  const done: number[] = [];
  const act = async (item: number) => {
    most = Math.max(most, (running += 1));
    await Promise.resolve();
    running -= 1;
    done.push(item);
  };
  await Promise.all([1, 2, 3, 4, 5].map((item) => queue.run(() => act(item))));
  expect(most).toBe(2);
  expect(done).toEqual([1, 2, 3, 4, 5]);
});
