import { afterEach, describe, expect, it, vi } from 'vitest';
import { en } from './en';
import { fr } from './fr';
import { type Key, language, locale, t } from './index';

afterEach(() => {
  document.documentElement.lang = '';
});

describe('the language', () => {
  it.each([
    ['fr', 'fr', 'fr'],
    ['fr-BE', 'fr', 'fr-BE'],
    ['EN-GB', 'en', 'EN-GB'],
    ['de', 'en', 'en'],
  ])('of a page in %s is %s, and its numbers are written as in %s', (lang, texts, numbers) => {
    document.documentElement.lang = lang;
    expect([language(), locale()]).toEqual([texts, numbers]);
  });

  it('of a page that does not say it is the language of the browser', () => {
    vi.spyOn(navigator, 'language', 'get').mockReturnValue('fr-FR');
    expect([language(), locale()]).toEqual(['fr', 'fr']);
  });
});

describe('a text', () => {
  it('has its values in it', () => {
    expect(t('shared.previewOf', { name: 'a.pdf' })).toBe('Preview of a.pdf');
    expect(t('shared.previewOf')).toBe('Preview of {name}');
  });

  it('has no names in it that read as if they ended otherwise', () => {
    expect(t('shared.previewOf', { name: 'invoice\u202Efdp.exe' })).toBe('Preview of invoicefdp.exe');
  });

  it('is chosen by a number, as the language does', () => {
    expect([0, 1, 2].map((count) => t('visualizer.pages', { count }))).toEqual(['0 pages', '1 page', '2 pages']);
    document.documentElement.lang = 'fr';
    expect([0, 1, 2].map((count) => t('visualizer.pages', { count }))).toEqual(['0 page', '1 page', '2 pages']);
  });

  it('has numbers as its language writes them', () => {
    document.documentElement.lang = 'en';
    expect(t('visualizer.pages', { count: 1_234 })).toBe('1,234 pages');
  });
});

describe('in French', () => {
  const keys = Object.keys(en) as Key[];
  const placeholders = (text: string) => [...new Set(text.match(/\{\w+\}/g))].sort();

  it.each(keys)('"%s" has the same values and forms', (key) => {
    expect(placeholders(fr[key])).toEqual(placeholders(en[key]));
    expect(fr[key].split('|')).toHaveLength(en[key].split('|').length);
  });

  it('there is no text more than in English', () => {
    expect(Object.keys(fr).sort()).toEqual(keys.sort());
  });
});
