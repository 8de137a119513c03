import { beforeEach, expect, it, vi } from 'vitest';
import { type Commands, listenTo, tell } from './hostEvents';

let host: HTMLElement;
let commands: { [Name in keyof Commands]: ReturnType<typeof vi.fn<Commands[Name]>> };

beforeEach(() => {
  host = document.createElement('div');
  commands = {
    goTo: vi.fn(),
    turn: vi.fn(),
    zoomIn: vi.fn(),
    zoomOut: vi.fn(),
    setScale: vi.fn(),
    setHighlight: vi.fn(),
    setCommenting: vi.fn(),
    save: vi.fn(),
  };
});

function send(name: string, detail?: unknown): void {
  host.dispatchEvent(new CustomEvent(name, { detail }));
}

it('does what the page asks for', () => {
  listenTo(host, commands);
  send('changeCurrentPage', 2);
  send('rotate', 90);
  send('zoomIn');
  send('zoomOut');
  send('setScale', 'auto');
  send('setHighlight', '#ffff00');
  send('setCommenting', '#ff0000');
  send('save');
  expect(commands.goTo).toHaveBeenCalledWith(2);
  expect(commands.turn).toHaveBeenCalledWith(90);
  expect(commands.zoomIn).toHaveBeenCalledOnce();
  expect(commands.zoomOut).toHaveBeenCalledOnce();
  expect(commands.setScale).toHaveBeenCalledWith('auto');
  expect(commands.setHighlight).toHaveBeenCalledWith('#ffff00');
  expect(commands.setCommenting).toHaveBeenCalledWith('#ff0000');
  expect(commands.save).toHaveBeenCalledOnce();
});

it.each([45, 'left', undefined, 360])('leaves alone a rotation by %s', (degrees) => {
  listenTo(host, commands);
  send('rotate', degrees);
  expect(commands.turn).not.toHaveBeenCalled();
});

it('is not asked by events from within, nor after its end', () => {
  const stop = listenTo(host, commands);
  const inner = host.appendChild(document.createElement('input'));
  inner.dispatchEvent(new CustomEvent('save', { bubbles: true }));
  stop();
  send('save');
  expect(commands.save).not.toHaveBeenCalled();
});

it('tells the page, and those around the element', () => {
  const around = document.createElement('main');
  around.append(host);
  const heard = vi.fn();
  around.addEventListener('pageChange', (event) => heard((event as CustomEvent).detail));
  tell(host, 'pageChange', { pageNumber: 3 });
  expect(heard).toHaveBeenCalledWith({ pageNumber: 3 });
});
