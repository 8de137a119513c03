import { shownName } from '@/shared/names';
import { en } from './en';
import { fr } from './fr';

/** The texts there are, by their keys; English has them all. */
export type Key = keyof typeof en;

const catalogues: Record<string, Record<Key, string>> = { en, fr };

/** The language of the page, as far as there are texts for it; English otherwise. */
export function language(): string {
  const wanted = (document.documentElement.lang || navigator.language || 'en').slice(0, 2).toLowerCase();
  return wanted in catalogues ? wanted : 'en';
}

/** The locale that numbers and dates are written in: the page's own, with its region. */
export function locale(): string {
  const own = document.documentElement.lang;
  return own.slice(0, 2).toLowerCase() === language() ? own : language();
}

/**
 * The text of a key in the language of the page.
 *
 * `{name}` stands for a value; what turns the direction of text is taken out of it. A text in forms, `one form|other form`, is
 * chosen by the value `count`, as the plural rules of the language say.
 */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  const forms = (catalogues[language()] ?? en)[key].split('|');
  const rule = typeof values.count === 'number' ? new Intl.PluralRules(locale()).select(values.count) : 'one';
  const text = (rule === 'one' ? forms[0] : forms.at(-1)) ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return typeof value === 'number' ? value.toLocaleString(locale()) : shownName(value ?? whole);
  });
}
