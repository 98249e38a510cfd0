// Français : la page qui n’existe pas.

/** @type {import('../strings.js').MissingCatalogue} */
export default {
  'missing': 'Cette page n’existe pas',
  'missing.why': 'Le lien est peut-être incomplet, ou l’adresse contient une faute de frappe.',
};
