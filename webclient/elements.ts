// What the DOM knows of <carillon-call>: its class and its events, for document.createElement, querySelector and addEventListener.  Types only.

import type { Call, Ending } from './call.js';
import type { ButtonState, CarillonCall } from './carillon-call.js';

/** The `detail` of each event.  They bubble, out of shadow trees as well. */
export interface CarillonCallEvents {
  /** What is shown now, and the call under way. */
  'carillon-state': { state: ButtonState, call: Call | undefined };
  /** Why a call is over. */
  'carillon-ended': Ending;
  /** There was no call: a code for programs, and the sentence that the visitor reads. */
  'carillon-error': { code: string, text: string };
}

type AsEvents<Details> = { [Type in keyof Details]: CustomEvent<Details[Type]> };

declare global {
  interface HTMLElementTagNameMap {
    'carillon-call': CarillonCall;
  }
  // Of elements, and of the document and the window to which they bubble.
  interface GlobalEventHandlersEventMap extends AsEvents<CarillonCallEvents> {}
}
