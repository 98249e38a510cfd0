// Entry for `bundle`: the XMPP library stanza as globalThis.stanza of a page.
import * as stanza from 'stanza';

globalThis.stanza = stanza;
