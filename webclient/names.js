// The name that a person gave last, for the next time.

const NAME_KEY = 'carillon name';

/** @param {string} name */
export function remember(name) {
  try {
    localStorage.setItem(NAME_KEY, name);
  } catch {
    // A browser that keeps nothing asks for the name again.
  }
}

export function remembered() {
  try {
    return localStorage.getItem(NAME_KEY) ?? '';
  } catch {
    return '';
  }
}
