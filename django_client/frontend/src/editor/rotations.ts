/** By how much pages were turned since they were opened: degrees clockwise, by number from 0. */
export class Rotations {
  private readonly turned = new Map<number, number>();

  /**
   * Turns a page further, and answers by how much it is turned in all: 0, 90, 180 or 270.
   *
   * @param index the page, from 0
   * @param degrees clockwise, a multiple of 90; less than 0 is counter-clockwise
   */
  turn(index: number, degrees: number): number {
    const all = wholeTurn(this.of(index) + degrees);
    if (all === 0) {
      this.turned.delete(index);
    } else {
      this.turned.set(index, all);
    }
    return all;
  }

  /** By how much a page is turned. */
  of(index: number): number {
    return this.turned.get(index) ?? 0;
  }

  /** Those pages that are turned, as the gateway wants them. */
  toSave(): Record<number, number> {
    return Object.fromEntries([...this.turned].sort(([one], [other]) => one - other));
  }
}

/** True for what a page can be turned by: quarter turns. */
export function isQuarterTurn(degrees: unknown): degrees is number {
  return typeof degrees === 'number' && Number.isInteger(degrees) && degrees % 90 === 0;
}

function wholeTurn(degrees: number): number {
  return ((degrees % 360) + 360) % 360;
}
