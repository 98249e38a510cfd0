// The preview in the lobby, and the stream that a call takes over from it.

import { placeChoices, showChoices } from './choose.js';
import { closeMedia, stillOpen } from './devices.js';
import { showBusy } from './lobby.js';
import { t } from './strings.js';
import { any, button, errorText, play, say, show, showToggle, video } from './view.js';

/** @type {import('./devices.js').Devices} */
let devices;
/** @type {MediaStream | undefined} */
let preview;

/** @param {import('./devices.js').Devices} used */
export function wirePreview(used) {
  devices = used;
  button('preview').onclick = () => {
    say('call-error');
    if (preview) closePreview();
    else void openPreview();
  };
  // The devices chosen in the lobby are those of the preview.
  devices.on('chosen', (kind) => {
    if (kind === 'output' || !preview) return;
    closePreview();
    void openPreview();
  });
}

async function openPreview() {
  showBusy(t('busy.media'));
  try {
    preview = await devices.open({ video: true });
  } catch (error) {
    say('call-error', errorText(error));
  }
  showBusy();
  // A call may have been answered meanwhile.
  if (any('lobby').hidden) closePreview();
  else showPreview();
}

export function closePreview() {
  closeMedia(preview);
  preview = undefined;
  showPreview();
}

export function showPreview() {
  const picture = (preview?.getVideoTracks().length ?? 0) > 0;
  video('preview-video').hidden = !picture;
  void play(video('preview-video'), preview);
  show('preview-empty', !picture);
  showToggle('preview', preview !== undefined, t(preview ? 'preview.off' : 'preview.on'));
  say('preview-hint', t(!preview ? 'preview.why' : picture ? 'preview.hint' : 'preview.nocamera'));
  showChoices(devices);
  placeChoices('lobby-devices', preview);
}

/**
 * The stream for a call: the preview's if it fits.
 * @param {boolean} wantVideo
 */
export async function streamFor(wantVideo) {
  const kept = preview;
  preview = undefined;
  showPreview();
  if (kept && stillOpen(kept) && (!wantVideo || kept.getVideoTracks().length)) {
    for (const track of wantVideo ? [] : kept.getVideoTracks()) {
      track.stop();
      kept.removeTrack(track);
    }
    return kept;
  }
  closeMedia(kept);
  return devices.open({ video: wantVideo });
}
