// Deutsch: die Seite, die es nicht gibt.

/** @type {import('../strings.js').MissingCatalogue} */
export default {
  'missing': 'Diese Seite gibt es nicht',
  'missing.why': 'Vielleicht ist der Link unvollständig, oder die Adresse enthält einen Tippfehler.',
};
