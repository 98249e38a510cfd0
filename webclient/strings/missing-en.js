// English: the page that there is not.

export default {
  'missing': 'There is no such page',
  'missing.why': 'The link may be incomplete, or its address was typed with a mistake.',
};
