// The chooser of the language.

import { chooseLanguage, language, LANGUAGES } from './strings.js';
import { select, translate } from './view.js';

/**
 * Puts the sentences into the document, now and each time another language is chosen.
 * @param {() => void} again says what was not in the document
 */
export function wireLanguage(again) {
  const field = select('language');
  field.replaceChildren(...Object.entries(LANGUAGES).map(([code, name]) => {
    const option = new Option(name, code);
    option.lang = code;
    return option;
  }));
  field.value = language;
  field.onchange = async () => {
    await chooseLanguage(/** @type {import('./strings.js').Language} */ (field.value));
    translate();
    again();
  };
  translate();
}
