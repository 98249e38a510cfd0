// The page at an address where there is none.

import { wireLanguage } from './speak.js';
import { learn } from './strings.js';

await learn({ de: () => import('./strings/missing-de.js'), en: () => import('./strings/missing-en.js'), fr: () => import('./strings/missing-fr.js') });
wireLanguage(() => {});
