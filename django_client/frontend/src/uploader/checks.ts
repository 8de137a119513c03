import { t } from '@/i18n';
import { locale } from '@/i18n';
import { formatSize } from '@/shared/formatting';
import { typeName } from './names';
import type { UploaderOptions } from './options';

type Limits = Pick<UploaderOptions, 'maxSize' | 'mimetypes'>;

/** Why a file is not taken, in words that say which limit it is; empty where it is taken. */
export function problemWith(file: Pick<File, 'name' | 'size' | 'type'>, limits: Limits): string {
  const { name } = file;
  if (file.size === 0) {
    return t('uploader.empty', { name });
  }
  if (limits.maxSize !== undefined && file.size > limits.maxSize) {
    const [size, limit] = [formatSize(file.size), formatSize(limits.maxSize)];
    return t('uploader.tooLarge', { name, size, limit });
  }
  if (!isTypeTaken(file.type, limits.mimetypes)) {
    return t('uploader.wrongType', { name, types: typesInWords(limits.mimetypes) });
  }
  return '';
}

/** Whether a type is among those; one that the browser does not know is left to the server, which looks into the file. */
function isTypeTaken(type: string, mimetypes: string[]): boolean {
  return (
    type === '' ||
    mimetypes.length === 0 ||
    mimetypes.some((each) => each === type || (each.endsWith('/*') && type.startsWith(each.slice(0, -1))))
  );
}

/** "PDF, PNG or JPEG". */
export function typesInWords(mimetypes: string[]): string {
  const names = [...new Set(mimetypes.map(typeName))];
  return new Intl.ListFormat(locale(), { type: 'disjunction' }).format(names);
}

/** What is taken here, in one line; empty where everything is. */
export function limitsInWords(options: UploaderOptions): string {
  const { mimetypes, maxSize, minFiles, maxFiles } = options;
  return [
    mimetypes.length > 0 ? typesInWords(mimetypes) : '',
    maxSize === undefined ? '' : t('uploader.limitSize', { limit: formatSize(maxSize) }),
    minFiles === undefined || minFiles < 2 ? '' : t('uploader.limitAtLeast', { count: minFiles }),
    maxFiles === undefined || maxFiles === minFiles ? '' : t('uploader.limitAtMost', { count: maxFiles }),
  ]
    .filter((part) => part !== '')
    .join(' · ');
}
