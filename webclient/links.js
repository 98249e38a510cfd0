// The links in what people write.

// Up to a blank or a control character; the sentence's own marks after it are not part of it, and parentheses only in pairs.
const LINK = /\b(?:https?:\/\/|xmpp:)(?:\([^\s<>"()\p{C}]*\)|[^\s<>"()\p{C}])*(?:\([^\s<>"()\p{C}]*\)|[^\s<>"()\p{C}.,;:!?'’”»*_\]}])/giu;

/**
 * The text in parts, of which every second one is a link.
 * @param {string} text
 * @returns {string[]}
 */
export function partsOf(text) {
  const parts = [''];
  let end = 0;
  for (const { 0: link, index } of text.matchAll(LINK)) {
    if (!isLink(link)) continue;
    parts.splice(-1, 1, text.slice(end, index), link, '');
    end = index + link.length;
  }
  parts.splice(-1, 1, text.slice(end));
  return parts;
}

/**
 * Whether a browser goes where a person reads that it goes: a name before the host is how it looks like another one.
 * @param {string} link
 */
function isLink(link) {
  try {
    const { username, password } = new URL(link);
    return !username && !password;
  } catch {
    return false;
  }
}
