/** Reads `data-` attributes, by their names without `data-`. */
export class Attributes {
  constructor(private readonly element: HTMLElement) {}

  /** The text; empty where the attribute is absent. */
  text(name: string): string {
    return this.element.getAttribute(`data-${name}`) ?? '';
  }

  /** The parts of a comma-separated text. */
  list(name: string): string[] {
    return this.text(name)
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
  }

  /** A number of at least 0, or undefined where there is none. */
  number(name: string): number | undefined {
    const text = this.text(name);
    const value = Number(text);
    return text !== '' && Number.isFinite(value) && value >= 0 ? value : undefined;
  }

  /** Present and empty, `False`, `false` or `0` is off; absent is what `fallback` says. */
  flag(name: string, fallback: boolean): boolean {
    if (!this.element.hasAttribute(`data-${name}`)) {
      return fallback;
    }
    return !['', 'false', '0', 'none'].includes(this.text(name).toLowerCase());
  }

  /** An object written as JSON; empty where there is none, or no object. */
  json(name: string): Record<string, unknown> {
    try {
      const value: unknown = JSON.parse(this.text(name) || '{}');
      return typeof value === 'object' && value !== null && !Array.isArray(value)
        ? (value as Record<string, unknown>)
        : {};
    } catch {
      return {};
    }
  }

  /** The objects of a list written as JSON; none where there is no such list. */
  objects(name: string): Record<string, unknown>[] {
    try {
      const value: unknown = JSON.parse(this.text(name) || '[]');
      return Array.isArray(value) ? value.filter((each) => typeof each === 'object' && each !== null) : [];
    } catch {
      return [];
    }
  }
}
