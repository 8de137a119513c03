import { t } from '@/i18n';
import { formatDuration, formatRate, formatSize } from '@/shared/formatting';
import { wordsFor } from '@/shared/words';
import { percentOf, type UploaderItem } from './items';
import { typeName } from './names';

/** How a file stands, in words. */
export function statusOf(item: UploaderItem, now: number = Date.now()): string {
  const percent = percentOf(item);
  const seconds = Math.round((item.goesOnAt - now) / 1000);
  const time = formatDuration(Math.max(seconds, 1));
  switch (item.phase) {
    case 'chosen':
      return joined([t('uploader.chosen'), formatSize(item.size)]);
    case 'queued':
      return joined([t('uploader.queued'), formatSize(item.size)]);
    case 'sending':
      return item.sent >= item.size ? t('uploader.checking') : sendingText(item, percent);
    case 'waiting':
      if (item.error?.fault === 'server') {
        return t('uploader.faulty', { time });
      }
      return seconds > 0 ? t('uploader.waiting', { percent, time }) : t('uploader.waitingNow', { percent });
    case 'limited':
      return t('uploader.limited', { time });
    case 'paused':
      return t('uploader.pausedAt', { percent });
    case 'unfinished':
      return t('uploader.unfinished', { percent });
    case 'failed':
      return wordsFor(item.error);
    default:
      return item.message || describeStored(item);
  }
}

function sendingText(item: UploaderItem, percent: number): string {
  return joined([
    t('uploader.percent', { percent }),
    item.rate > 0 ? formatRate(item.rate) : '',
    item.remaining > 0 ? t('uploader.left', { time: formatDuration(item.remaining) }) : '',
  ]);
}

function describeStored(item: UploaderItem): string {
  if (!item.known && item.origin !== 'here') {
    return t('shared.loading');
  }
  return joined([item.size > 0 ? formatSize(item.size) : '', item.type === '' ? '' : typeName(item.type)]);
}

function joined(parts: string[]): string {
  return parts.filter((part) => part !== '').join(' · ');
}
