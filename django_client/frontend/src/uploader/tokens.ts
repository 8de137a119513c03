/** Tokens by their keys. */
export type Tokens = Record<string, string>;

/**
 * The tokens of an uploader. Keys count from "1" in the order in which tokens arrived; a key is never given twice, and a token that
 * takes another one's place takes its key.
 *
 * Each change is told to the page by an event on the element: `osisdocument:add` for a new token, `osisdocument:delete` for a
 * removed one, both with `detail.oldTokens` and `detail.newTokens`.
 */
export class TokenBook {
  private tokens: Tokens = {};
  private readonly keys = new Map<string, string>();
  private last = 0;

  constructor(private readonly host: EventTarget) {}

  /** Notes the tokens that a page comes with; no event tells of them. */
  begin(tokens: { owner: string; token: string }[]): void {
    tokens.forEach(({ owner, token }) => this.put(owner, token));
  }

  /** Notes the token of a file, in place of the one that it had. */
  set(owner: string, token: string): void {
    const before = this.tokens;
    this.put(owner, token);
    this.tell('osisdocument:add', before);
  }

  /** Removes the token of a file, if it has one. */
  remove(owner: string): void {
    const key = this.keys.get(owner);
    if (key === undefined) {
      return;
    }
    const before = this.tokens;
    this.keys.delete(owner);
    this.tokens = Object.fromEntries(Object.entries(before).filter(([each]) => each !== key));
    this.tell('osisdocument:delete', before);
  }

  private put(owner: string, token: string): void {
    const key = this.keys.get(owner) ?? String(++this.last);
    this.keys.set(owner, key);
    this.tokens = { ...this.tokens, [key]: token };
  }

  private tell(name: string, before: Tokens): void {
    const detail = { oldTokens: { ...before }, newTokens: { ...this.tokens } };
    this.host.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
  }
}
