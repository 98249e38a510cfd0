// What a TypeScript program knows of <carillon-call>.  Nothing here runs: the compiler refuses it when a type is missing or has become another one.

import './carillon-call.js';

/** Takes only what has exactly that type: `any` and `unknown` are refused. */
declare function exactly<Wanted>(): <Given>(given: (<T>() => T extends Given ? 1 : 2) extends (<T>() => T extends Wanted ? 1 : 2) ? Given : never) => void;

const button = document.createElement('carillon-call');
button.call();
button.hangUp();
exactly<'idle' | 'asking' | 'attaching' | 'dialing' | 'ringing' | 'connecting' | 'connected'>()(button.state);
document.querySelector('carillon-call')?.current?.hangUp();

button.addEventListener('carillon-state', ({ detail }) => {
  exactly<typeof button.state>()(detail.state);
  exactly<typeof button.current>()(detail.call);
});
button.addEventListener('carillon-ended', ({ detail }) => {
  exactly<string>()(detail.reason);
  exactly<string>()(detail.text);
  exactly<string | undefined>()(detail.code);
});
button.addEventListener('carillon-error', ({ detail }) => {
  exactly<string>()(detail.code);
  exactly<string>()(detail.text);
});
// They bubble.
document.body.addEventListener('carillon-ended', ({ detail }) => exactly<string>()(detail.reason));
document.addEventListener('carillon-error', ({ detail }) => exactly<string>()(detail.code));
window.addEventListener('carillon-state', ({ detail }) => exactly<typeof button.current>()(detail.call));

// @ts-expect-error an ending has no such thing
button.addEventListener('carillon-ended', ({ detail }) => detail.duration);
// @ts-expect-error no such event: one of no type known has no detail
button.addEventListener('carillon-over', ({ detail }) => detail);
