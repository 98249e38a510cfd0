// Every sentence of the page, by language.  Keys of index.html (data-t, data-t-label, data-t-placeholder) are here, too.

const en = {
  'title': 'Carillon: call an XMPP address',
  'lobby': 'Call someone',
  'lobby.intro': 'Enter an XMPP address and their app rings. Nothing to install, no account.',
  'name': 'Your name',
  'name.hint': 'The one you call sees it, marked as a guest. Each name has an address of its own.',
  'address': 'Address to call',
  'call.video': 'Call with video',
  'call.audio': 'Call',
  'preview.on': 'Turn on camera and microphone',
  'preview.off': 'Turn off camera and microphone',
  'preview.empty': 'Your camera is off',
  'preview.nocamera': 'Your microphone is on. No camera was found, so calls have sound only.',
  'preview.hint': 'Only you see this. Nothing is sent before a call is answered.',
  'preview.video': 'Your camera',
  'reach': 'Be called',
  'reach.none': 'Enter your name, and you get an address that XMPP apps can call while this page is open.',
  'reach.intro': 'XMPP apps can call you at this address while this page is open in this browser.',
  'reach.address': 'Your address',
  'reach.unkept': 'This browser keeps nothing for this page, as in a private window: once you close it, your address is gone for good.',
  'reach.copy': 'Copy',
  'reach.copied': 'Copied',
  'reach.app': 'Open in an XMPP app',
  'reach.qr': 'Show QR code',
  'reach.qr.alt': 'QR code of your address',
  'tell': 'Tell a contact: you can call me',
  'tell.hint': 'Their app sees you online, so its call button for you appears. It also asks them whether to add your address.',
  'tell.address': 'Address of your contact',
  'tell.button': 'Tell them',
  'tell.done': '{address} was told and can call you while this page is open. Their app may ask to see you online: allow it under Contacts.',
  'contacts': 'Contacts',
  'contacts.asks': 'wants to see when you can be called',
  'contacts.approved': 'sees when this page is open',
  'contacts.allow': 'Allow',
  'contacts.ignore': 'Ignore',
  'contacts.remove': 'Remove',
  'contacts.call': 'Call',
  'contacts.of': '{action}: {address}',
  'meet': 'Meet several people',
  'meet.intro': 'A room is for up to six in their browsers. Whoever has its link can come in.',
  'meet.name': 'Name of the room',
  'meet.any': 'or leave it to us',
  'meet.open': 'Open room',
  'link.offline': 'Not connected',
  'link.connecting': 'Connecting',
  'link.attached': 'Ready',
  'link.away': 'Server away, trying again',
  'link.down': 'XMPP server away',
  'link.policy': 'This service lets nobody call out yet: its operator has to list the addresses that may be called. You can still be called.',
  'incoming': 'Incoming call',
  'incoming.audio': 'calls you',
  'incoming.video': 'calls you with video',
  'incoming.accept.audio': 'Answer',
  'incoming.accept.video': 'Answer with video',
  'incoming.decline': 'Decline',
  'incoming.title': '{name} is calling',
  'waiting': '{name} is calling, too. Hang up to answer.',
  'waiting.decline': 'Decline',
  'stage': 'Call',
  'stage.remote': 'Picture of the other side',
  'stage.local': 'Your own picture',
  'stage.mute': 'Mute',
  'stage.unmute': 'Unmute',
  'stage.camera.off': 'Stop camera',
  'stage.camera.on': 'Start camera',
  'stage.hangup': 'Hang up',
  'stage.cancel': 'Cancel',
  'stage.sound': 'Turn on sound',
  'stage.interrupted': 'The connection is interrupted. Waiting for it to come back.',
  'stage.away': 'The server is away. The call goes on.',
  'stage.muted': 'Your microphone is muted',
  'door.title': 'Room {room}',
  'door.intro': 'Everyone with the link to this room can come in. Sound and picture go from browser to browser.',
  'door.password': 'Password of the room',
  'door.password.hint': 'Only if the room has one: the first one in it chooses.',
  'door.join': 'Join',
  'door.audio': 'Join without camera',
  'door.quiet': 'Only watch and listen',
  'door.lock': 'Use a password',
  'door.home': 'Call one person instead',
  'door.joining': 'Joining the room',
  'door.left': 'You left the room.',
  'room': 'Room',
  'room.copy': 'Copy link',
  'room.leave': 'Leave',
  'room.you': '{name} (you)',
  'room.nameless': 'Guest',
  'room.joined': 'You are in the room. {people}',
  'room.people': 'With you: {names}.',
  'room.alone': 'Nobody else is here yet. Send the link of this page to those you want to meet.',
  'room.entered': '{name} came in.',
  'room.left': '{name} left.',
  'room.muted': '{name}, muted',
  'room.connecting': 'Connecting',
  'room.interrupted': 'Connection interrupted',
  'room.failed': 'No connection: sound and picture found no way between the two of you.',
  'room.away': 'The server is away. You stay connected with those who are here; this page goes on trying to reach it.',
  'room.shutdown': 'The service is being restarted. You come back in by yourself in a moment.',
  'room.unheard': 'Nobody hears you: this page has no microphone.',
  'state.connecting': 'Connecting to the server',
  'state.idle': 'Ready to call',
  'state.idle.name': 'Enter your name to begin',
  'state.dialing': 'Calling {name}',
  'state.ringing': 'Ringing at {name}',
  'state.incoming': '{name} is calling you',
  'state.connecting-media': 'Connecting sound and picture with {name}',
  'state.in-call': 'In a call with {name}',
  'state.ended': 'The call with {name} is over. {reason}',
  'status.dialing': 'Calling',
  'status.ringing': 'Ringing',
  'status.connecting-media': 'Connecting',
  'busy.media': 'Your browser asks for your microphone or camera: please allow it.',
  'busy.attach': 'Connecting to the server',
  'ended.again': 'Call again',
  'ended.back': 'Back',
  'ended.lasted': 'The call lasted {duration}.',
  'end.hung-up': 'You ended the call.',
  'end.peer-hung-up': 'The other side ended the call.',
  'end.declined': 'You declined the call.',
  'end.peer-declined': 'Your contact declined the call.',
  'end.peer-busy': 'Your contact is in another call. Try again later.',
  'end.tie-break': 'You called each other at the same moment. Your contact’s call rings here instead.',
  'end.cancelled': 'You cancelled the call.',
  'end.peer-cancelled': 'The caller hung up before you answered.',
  'end.no-answer': 'Nobody answered. Try again later.',
  'end.missed': 'You did not answer in time.',
  'end.answered-elsewhere': 'The call was taken in another window.',
  'end.peer-unreachable': 'Your contact cannot be reached: the address does not exist, or nobody is online there. Check its spelling.',
  'end.server-unreachable': 'The XMPP server of your contact cannot be reached. Check the part after the @, or try again later.',
  'end.peer-lost': 'The connection to your contact was lost.',
  'end.page-lost': 'This page lost its connection to the server, and with it the call. Call again when you are back online.',
  'end.no-connection': 'Sound and picture found no way between you and your contact. Try another network.',
  'end.connection-lost': 'The connection for sound and picture broke and did not come back. Call again.',
  'end.no-media': 'Your browser did not set up sound or picture in time. Try again.',
  'end.incompatible': 'Your contact’s app and your browser have no way of calling in common.',
  'end.not-encrypted': 'Your contact’s app does not offer the encryption that browsers require.',
  'end.failed': 'Something went wrong on the way. Try again.',
  'end.shutting-down': 'The call service is being restarted. Call again in a moment.',
  'end.link-lost': 'The server did not answer. Check your network connection and try again.',
  'error.name': 'Please enter your name, so that your contact sees who is calling.',
  'error.address': 'Please enter an address such as alice@example.org.',
  'error.link-lost': 'There is no connection to the server. Check your network; this page goes on trying.',
  'error.timeout': 'The server did not answer in time. Try again.',
  'error.insecure-context': 'Browsers allow calls only on pages opened by https. Open this page with https:// in its address.',
  'error.bad_name': 'This name cannot be used. Choose another one: letters and digits, at most 32.',
  'error.reserved_name': 'This name is reserved. Choose another one.',
  'error.bad-state': 'The name cannot be changed during a call.',
  'error.origin-refused': 'This service does not admit this site. Its operator has to add it to the key “origins”.',
  'error.link_down': 'The XMPP server is away at the moment. Try again in a minute.',
  'error.room_full': 'This room is full. Wait until somebody has left it, then join.',
  'error.room_id_too_long': 'The room’s name is too long: it has at most 50 characters. Choose another one.',
  'error.no_room_id': 'This link has no name of a room in it.',
  'error.password_mismatch': 'This is not the password of the room. Ask those who invited you.',
  'error.password_needed': 'This room has a password. Enter it, then join.',
  'error.room_name': 'Please enter your name, so that the others know who you are.',
  'error.denied': 'The browser does not let this page use the microphone. Allow it in the site settings, beside the page’s address, and try again.',
  'error.no-microphone': 'No microphone was found. Plug one in or switch it on, and try again.',
  'error.in-use': 'Another program is using the microphone or camera. Close it and try again.',
  'media.lost.audio': 'Your contact no longer hears you: the microphone was unplugged, or this page may not use it any more. Check it, then call again.',
  'media.lost.video': 'Your contact no longer sees you: the camera was unplugged, or this page may not use it any more.',
  'media.lost.both': 'Your contact no longer hears or sees you: microphone and camera were unplugged, or this page may not use them any more. Check them, then call again.',
  'error.no-camera': 'The camera could not be opened. Check it, and that this page may use it.',
  'error.media-failed': 'The microphone could not be opened. Check it and try again.',
};

/** @typedef {keyof typeof en} Key */

/** @type {Record<string, Record<Key, string>>} */
export const catalogues = { en };

/** The language of this page: the first that the browser asks for and we have. */
export const language = (globalThis.navigator?.languages ?? []).map((each) => each.split('-')[0]).find((each) => each in catalogues) ?? 'en';

/**
 * The sentence of that key, with {placeholders} filled in.
 * @param {Key} key
 * @param {Record<string, string>} [values]
 */
export function t(key, values = {}) {
  const sentence = catalogues[language]?.[key] ?? `[${key}]`;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/**
 * Whether there is such a sentence, for keys made from what the server says.
 * @param {string} key
 * @returns {key is Key}
 */
export function has(key) {
  return Object.hasOwn(en, key);
}

/**
 * Minutes and seconds as a clock shows them.
 * @param {number} milliseconds
 */
export function clock(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (/** @type {number} */ value) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/**
 * The address in what a person typed or pasted; undefined if that is none.
 * @param {string} text
 */
export function addressIn(text) {
  const address = text.trim().replace(/^xmpp:/i, '').split('?')[0] ?? '';
  return /^[^\s@/]+@[^\s@/]+(\/.+)?$/.test(address) ? address : undefined;
}
