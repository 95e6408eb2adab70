/** What is typed and not sent yet, for as long as the browser's tab lives: a page that is left does not lose it. */
export class Draft {
  constructor(
    private readonly name: string,
    private readonly storage: Storage | null = openStorage(),
  ) {}

  get text(): string {
    try {
      return this.storage?.getItem(this.key) ?? "";
    } catch {
      return "";
    }
  }

  /** Empty text forgets it. */
  set text(text: string) {
    try {
      if (text === "") this.storage?.removeItem(this.key);
      else this.storage?.setItem(this.key, text);
    } catch {
      // full or closed: the field itself still holds it
    }
  }

  private get key(): string {
    return `trivet.draft.${this.name}`;
  }
}

function openStorage(): Storage | null {
  try {
    return globalThis.sessionStorage;
  } catch {
    return null;
  }
}
