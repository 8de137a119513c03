import { t } from '@/i18n';

/** What was dropped: the files, and the names of folders, which are not taken. */
export function droppedFiles(transfer: DataTransfer | null): { files: File[]; folders: string[] } {
  const items = [...(transfer?.items ?? [])].filter((item) => item.kind === 'file');
  const folders = new Set(
    items
      .map((item) => item.webkitGetAsEntry?.())
      .filter((entry) => entry?.isDirectory)
      .map((entry) => entry?.name ?? ''),
  );
  return { files: [...(transfer?.files ?? [])].filter((file) => !folders.has(file.name)), folders: [...folders] };
}

/** Whether what is dragged are files. */
export function dragsFiles(event: DragEvent): boolean {
  return [...(event.dataTransfer?.types ?? [])].includes('Files');
}

/** The files on the clipboard; a picture that was copied has no name of its own and gets one. */
export function pastedFiles(clipboard: DataTransfer | null, now: Date = new Date()): File[] {
  return [...(clipboard?.files ?? [])].map((file) => {
    if (!/^image\.\w+$/.test(file.name)) {
      return file;
    }
    const two = (value: number) => String(value).padStart(2, '0');
    const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
    const time = `${two(now.getHours())}.${two(now.getMinutes())}.${two(now.getSeconds())}`;
    const extension = file.name.slice(file.name.lastIndexOf('.'));
    return new File([file], `${t('uploader.pasted')} ${day} ${time}${extension}`, { type: file.type });
  });
}
