import { computed, reactive, ref, shallowReactive } from 'vue';
import { Gateway } from '@/gateway/gateway';
import { t } from '@/i18n';
import { Queue } from '@/shared/queue';
import { wordsFor } from '@/shared/words';
import { cameBack, UploadMemory } from '@/uploading/memory';
import { UploadQueue } from '@/uploading/queue';
import { tusTransfers } from '@/uploading/tusTransfer';
import type { OpenTransfer } from '@/uploading/transfer';
import { problemWith } from './checks';
import { describeItem } from './describing';
import {
  isEditableImage,
  isImage,
  isMoving,
  isPending,
  isSameFile,
  memoryOf,
  newItem,
  type UploaderItem,
} from './items';
import type { UploaderOptions } from './options';
import { TokenBook } from './tokens';

/** What an uploader works with; tests and stories bring their own. */
export interface Services {
  gateway: Gateway;
  open: OpenTransfer;
  memory: UploadMemory;
}

/** An image that waits to be cropped: a new one, or one that is there and takes what becomes of it. */
export interface CropTask {
  file: File;
  item: UploaderItem | null;
}

export function ownServices(options: UploaderOptions): Services {
  const gateway = new Gateway(options.baseUrl);
  return {
    gateway,
    open: tusTransfers(gateway.uploadsUrl),
    memory: new UploadMemory(location.pathname + location.search, options.name),
  };
}

export type UploaderStore = ReturnType<typeof createStore>;

/** The files of an uploader, and everything that can be done with them. */
export function createStore(options: UploaderOptions, host: EventTarget, services: Services) {
  const { gateway, memory } = services;
  const items = ref<UploaderItem[]>([]);
  const notices = ref<{ id: number; text: string }[]>([]);
  const cropTasks = shallowReactive<CropTask[]>([]);
  const status = ref('');
  const tokens = new TokenBook(host);
  const queue = new UploadQueue<UploaderItem>(services.open, {
    safe: (item, offset) => {
      if (item.remembered && item.token === '') {
        memory.keep(memoryOf(item, offset));
      }
    },
    done: uploaded,
    failed: (item) => {
      const reason = wordsFor(item.error);
      announce(t('uploader.failedStatus', { name: item.name, reason }));
      if (item.token === '') {
        memory.forget(item.id);
      } else {
        void stayAsItWas(item).then(() => (item.message = reason));
      }
    },
  });

  const isFull = computed(() => items.value.length >= (options.maxFiles ?? Infinity));
  const room = computed(() => (options.maxFiles ?? Infinity) - items.value.length - newTasks().length);
  const pending = computed(() => items.value.filter(isPending));
  const moving = computed(() => items.value.filter(isMoving));

  function newTasks(): CropTask[] {
    return cropTasks.filter((task) => task.item === null);
  }

  function announce(text: string): void {
    status.value = text;
  }

  let noticeCount = 0;
  function notice(text: string): void {
    notices.value.push({ id: ++noticeCount, text });
  }

  // ---- what the page comes with ----

  function begin(): void {
    items.value = options.values.map((token) => {
      const reference = token.startsWith('kept~');
      const name = options.names[token] ?? '';
      return newItem({ token, name, reference, known: reference, origin: 'page' });
    });
    tokens.begin(items.value.map(({ id, token }) => ({ owner: id, token })));
    if (!options.disabled) {
      recall();
    }
    const requests = new Queue(3);
    for (const item of items.value.filter(({ known, token }) => !known && token !== '')) {
      void requests.run(() => describe(item));
    }
  }

  function recall(): void {
    memory.begin(cameBack());
    const known = new Set(options.values);
    for (const each of memory.all()) {
      if (known.has(each.token)) {
        memory.forget(each.id); // the page brings it itself
      } else {
        const phase = each.token === '' ? 'unfinished' : 'stored';
        items.value.push(newItem({ ...each, phase, remembered: true, origin: 'memory' }));
        if (each.token !== '') {
          tokens.set(each.id, each.token);
        }
      }
    }
  }

  async function describe(item: UploaderItem): Promise<void> {
    const error = await describeItem(item, gateway);
    const isGone = error !== null && ['expired', 'missing', 'infected'].includes(error.fault);
    const isTwice =
      item.documentId !== '' && items.value.some((each) => each !== item && each.documentId === item.documentId);
    if (item.origin === 'memory' && items.value.includes(item) && (isGone || isTwice)) {
      void remove(item);
    }
  }

  // ---- adding ----

  function add(files: readonly File[]): void {
    notices.value = []; // they were about the choice before
    let added = 0;
    const tooMany: string[] = [];
    for (const file of files) {
      const unfinished = items.value.find((item) => item.phase === 'unfinished' && isSameFile(item, file));
      const problem = problemWith(file, options);
      if (unfinished) {
        goOn(unfinished, file);
      } else if (problem !== '') {
        notice(problem);
      } else if (room.value < 1) {
        tooMany.push(file.name);
      } else if (options.withCropping && isEditableImage(file.type)) {
        cropTasks.push({ file, item: null });
      } else {
        take(file, true);
        added += 1;
      }
    }
    if (tooMany.length > 0) {
      notice(t('uploader.tooMany', { count: options.maxFiles ?? 0, names: tooMany.join(', ') }));
    }
    if (added > 0) {
      announce(t('uploader.added', { count: added }));
    }
  }

  function take(file: File, remembered: boolean): void {
    const { name, size, type, lastModified } = file;
    const localUrl = isImage(type) ? URL.createObjectURL(file) : '';
    items.value.push(newItem({ file, name, size, type, lastModified, localUrl, remembered, phase: 'chosen' }));
    const item = items.value.at(-1);
    if (item && options.automaticUpload) {
      queue.add(item);
    }
  }

  /** Goes on with an upload whose file was chosen again; answers false for another file. */
  function goOn(item: UploaderItem, file: File): boolean {
    notices.value = [];
    if (!isSameFile(item, file)) {
      notice(t('uploader.otherFile', { name: item.name, other: file.name }));
      return false;
    }
    const localUrl = isImage(file.type) ? URL.createObjectURL(file) : '';
    Object.assign(item, { file, type: file.type, localUrl });
    queue.add(item);
    return true;
  }

  // ---- sending ----

  function uploaded(item: UploaderItem, token: string): void {
    Object.assign(item, { phase: 'stored', token, file: null, url: '', error: null, message: '' });
    tokens.set(item.id, token);
    memory.keep(memoryOf(item, item.size));
    announce(t('uploader.uploadedStatus', { name: item.name }));
    void describe(item);
  }

  /** Gives an upload up: a new file goes, one that was to be replaced stays as it was. */
  async function cancel(item: UploaderItem): Promise<void> {
    if (item.token === '') {
      return await remove(item);
    }
    const ended = queue.cancel(item); // which needs its address
    await Promise.all([stayAsItWas(item), ended]);
  }

  /** What was to replace a stored file did not. */
  function stayAsItWas(item: UploaderItem): Promise<void> {
    Object.assign(item, { phase: 'stored', file: null, url: '', sent: 0 });
    dropLocal(item);
    return describe(item);
  }

  async function remove(item: UploaderItem): Promise<void> {
    const isUnderWay = item.phase !== 'stored';
    items.value = items.value.filter((each) => each !== item);
    tokens.remove(item.id);
    memory.forget(item.id);
    dropLocal(item);
    announce(t('uploader.removedStatus', { name: item.name || t('uploader.nameless') }));
    if (isUnderWay) {
      await queue.cancel(item);
    }
  }

  function dropLocal(item: UploaderItem): void {
    if (item.localUrl !== '') {
      URL.revokeObjectURL(item.localUrl);
      item.localUrl = '';
    }
  }

  // ---- changing ----

  /** Does something to a document on the server; a failure is told beside the file. */
  async function change(item: UploaderItem, act: () => Promise<void>): Promise<boolean> {
    if (item.busy) {
      return false;
    }
    Object.assign(item, { busy: true, message: '' });
    try {
      await act();
      return true;
    } catch (error) {
      item.message = wordsFor(error);
      announce(item.message);
      return false;
    } finally {
      item.busy = false;
    }
  }

  function replaceToken(item: UploaderItem, token: string): void {
    item.token = token;
    tokens.set(item.id, token);
    if (item.origin !== 'page' || memory.all().some(({ id }) => id === item.id)) {
      memory.keep(memoryOf(item, item.size));
    }
    dropLocal(item);
  }

  function rename(item: UploaderItem, name: string): Promise<boolean> {
    return change(item, async () => {
      item.name = item.token === '' ? name : (await gateway.rename(item.token, name)).name;
      if (memory.all().some(({ id }) => id === item.id)) {
        memory.keep(memoryOf(item, item.size));
      }
      announce(t('uploader.renamedStatus', { name: item.name }));
    });
  }

  function rotate(item: UploaderItem, degrees = 90): Promise<boolean> {
    return change(item, async () => {
      replaceToken(item, await gateway.rotateImage(item.token, degrees));
      announce(t('uploader.rotatedStatus', { name: item.name }));
    });
  }

  function cropAgain(item: UploaderItem): Promise<boolean> {
    return change(item, async () => {
      const blob = await gateway.bytes(item.token);
      cropTasks.push({ file: new File([blob], item.name, { type: item.type }), item });
    });
  }

  /** The first image that waits is cropped: what became of it is added, or takes the place of what was there. */
  function cropped(result: File): void {
    const item = cropTasks.shift()?.item;
    const problem = problemWith(result, options);
    if (problem !== '') {
      notice(problem);
    } else if (!item) {
      take(result, false);
      announce(t('uploader.added', { count: 1 }));
    } else {
      dropLocal(item);
      const localUrl = URL.createObjectURL(result);
      Object.assign(item, { file: result, size: result.size, type: result.type, url: '', sent: 0, localUrl });
      queue.add(item);
    }
  }

  function move(item: UploaderItem, to: number): void {
    const from = items.value.indexOf(item);
    const place = Math.min(Math.max(to, 0), items.value.length - 1);
    if (from >= 0 && place !== from) {
      const others = items.value.filter((each) => each !== item);
      items.value = others.toSpliced(place, 0, item);
      announce(t('uploader.movedStatus', { name: item.name, place: place + 1, all: items.value.length }));
    }
  }

  return reactive({
    options,
    gateway,
    items,
    notices,
    cropTasks,
    status,
    isFull,
    pending,
    moving,
    begin,
    add,
    goOn,
    notice,
    announce,
    describe,
    cancel,
    remove,
    rename,
    rotate,
    cropAgain,
    cropped,
    move,
    upload: (item: UploaderItem) => queue.add(item),
    uploadChosen: () => items.value.filter(({ phase }) => phase === 'chosen').forEach((item) => queue.add(item)),
    pause: (item: UploaderItem) => queue.pause(item),
    cropCancelled: () => void cropTasks.shift(),
    dismiss: (id: number) => void (notices.value = notices.value.filter((each) => each.id !== id)),
    online: () => queue.online(),
    submitted: () => memory.submitted(),
    end: () => {
      queue.stop();
      items.value.forEach(dropLocal);
    },
  });
}
