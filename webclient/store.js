// Where keys and contacts are kept: in this browser's IndexedDB, or in memory where that does not work.

/** @typedef {import('./identity.js').Contact} Contact */
/** @typedef {import('./identity.js').Keys} Keys */
/**
 * Where keys and contacts are kept.  `profile` is the name in the form of profileOf.
 * @typedef {object} Store
 * @property {boolean} [forgetful] what it holds is lost with the page
 * @property {(profile: string) => Promise<Keys | undefined>} keys
 * @property {(profile: string, keys: Keys) => Promise<Keys>} addKeys keeps these unless there are some; returns those kept
 * @property {(profile: string) => Promise<Contact[]>} contacts
 * @property {(profile: string, contact: Contact) => Promise<void>} putContact
 * @property {(profile: string, address: string) => Promise<void>} deleteContact
 */

const ATTEMPTS = 2;
// Safari has versions in which IndexedDB does not answer at all.
const TIMEOUT = 3000;

/**
 * The store of this browser.  Browsers close a database when they please, so what fails is tried again on a new connection; where that
 * fails too, as in some private windows, the rest of the page's life is in memory, with the keys that it has.
 * @returns {Store}
 */
export function openStore() {
  const memory = memoryStore();
  let forgetful = false;
  /** @type {Promise<IDBDatabase> | undefined} */
  let connection;
  /**
   * @template T
   * @param {(store: Store) => Promise<T>} work
   * @returns {Promise<T | undefined>} undefined when the database cannot be used
   */
  const attempt = async (work) => {
    for (let count = 0; !forgetful && count < ATTEMPTS; count++) {
      const opened = connection ??= openDatabase();
      try {
        return await inTime(opened.then((database) => work(databaseStore(database))));
      } catch (error) {
        console.warn('carillon: IndexedDB failed', error);
        opened.then((database) => database.close(), () => {});
        connection = undefined;
      }
    }
    forgetful = true;
    return undefined;
  };
  return {
    get forgetful() { return forgetful; },
    async keys(profile) {
      const keys = await attempt((store) => store.keys(profile));
      if (keys) await memory.addKeys(profile, keys);
      return memory.keys(profile);
    },
    async addKeys(profile, keys) {
      return memory.addKeys(profile, await attempt((store) => store.addKeys(profile, keys)) ?? keys);
    },
    async contacts(profile) {
      const contacts = await attempt((store) => store.contacts(profile));
      if (!contacts) return memory.contacts(profile);
      for (const { address } of await memory.contacts(profile)) await memory.deleteContact(profile, address);
      for (const contact of contacts) await memory.putContact(profile, contact);
      return contacts;
    },
    async putContact(profile, contact) {
      await memory.putContact(profile, contact);
      await attempt((store) => store.putContact(profile, contact));
    },
    async deleteContact(profile, address) {
      await memory.deleteContact(profile, address);
      await attempt((store) => store.deleteContact(profile, address));
    },
  };
}

/**
 * @template T
 * @param {Promise<T>} work
 * @returns {Promise<T>}
 */
function inTime(work) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer')), TIMEOUT);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** @returns {Promise<IDBDatabase>} */
function openDatabase() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('carillon', 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('keys', { keyPath: 'profile' });
      request.result.createObjectStore('contacts', { keyPath: ['profile', 'address'] });
    };
    request.onsuccess = () => {
      // Another page that deletes or upgrades the database waits for this one to let go.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
    // By a page that does not let go.
    request.onblocked = () => reject(new Error('blocked by another page'));
  });
}

/**
 * @param {IDBDatabase} database
 * @returns {Store}
 */
function databaseStore(database) {
  /**
   * One transaction: resolves with what `work` calls done with, once it is on disk.
   * @param {'keys' | 'contacts'} name
   * @param {IDBTransactionMode} mode
   * @param {(objects: IDBObjectStore, done: (result: any) => void) => void} work
   * @returns {Promise<any>}
   */
  const transact = (name, mode, work) => new Promise((resolve, reject) => {
    const transaction = database.transaction(name, mode);
    /** @type {any} */
    let result;
    work(transaction.objectStore(name), (value) => { result = value; });
    transaction.oncomplete = () => resolve(result);
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
  return {
    keys: (profile) => transact('keys', 'readonly', (objects, done) => {
      const get = objects.get(profile);
      get.onsuccess = () => done(get.result);
    }),
    // Two tabs may make a key at once; the first one in wins, so both get the same address.
    addKeys: (profile, keys) => transact('keys', 'readwrite', (objects, done) => {
      const get = objects.get(profile);
      get.onsuccess = () => {
        if (!get.result) objects.add({ profile, ...keys });
        done(get.result ?? keys);
      };
    }),
    contacts: (profile) => transact('contacts', 'readonly', (objects, done) => {
      const get = objects.getAll(IDBKeyRange.bound([profile], [profile, []]));
      get.onsuccess = () => done(get.result.map(({ profile: _, ...contact }) => contact));
    }),
    putContact: (profile, contact) => transact('contacts', 'readwrite', (objects) => void objects.put({ profile, ...contact })),
    deleteContact: (profile, address) => transact('contacts', 'readwrite', (objects) => void objects.delete([profile, address])),
  };
}

/**
 * A store that lasts as long as the page.
 * @returns {Store}
 */
export function memoryStore() {
  /** @type {Map<string, Keys>} */
  const allKeys = new Map();
  /** @type {Map<string, { profile: string, contact: Contact }>} */
  const all = new Map();
  const place = (/** @type {string[]} */ ...key) => key.join('\n');
  return {
    forgetful: true,
    keys: async (profile) => allKeys.get(profile),
    addKeys: async (profile, keys) => {
      if (!allKeys.has(profile)) allKeys.set(profile, keys);
      return allKeys.get(profile) ?? keys;
    },
    contacts: async (profile) => [...all.values()].filter((each) => each.profile === profile).map(({ contact }) => contact),
    putContact: async (profile, contact) => void all.set(place(profile, contact.address), { profile, contact }),
    deleteContact: async (profile, address) => void all.delete(place(profile, address)),
  };
}
