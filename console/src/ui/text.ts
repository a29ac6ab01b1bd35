// Texts that came from outside: whatever is in them is shown, and nothing of it does anything.

// biome-ignore lint/suspicious/noControlCharactersInRegex: the colours that programs write for terminals
const ANSI = /\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: what has no shape gets one
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** A line as it is read: colours of terminals left out, and what has no shape, or would turn the line around, as a sign of its own. */
export function visible(text: string): string {
  return text.replaceAll(ANSI, '').replaceAll(UNSEEN, (sign) => {
    const code = sign.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    if (code === 0x7f) return '␡';
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
  });
}

export function numberText(amount: number, locale: string): string {
  return new Intl.NumberFormat(locale).format(amount);
}
