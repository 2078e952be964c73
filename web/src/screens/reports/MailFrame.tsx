/**
 * A mail as its readers saw it, in a frame that runs nothing: no script, no form, nothing from elsewhere.
 * The policy of the app holds in the frame, too, and refuses styles in HTML: they are set through the DOM.
 */
import { useCallback, useEffect, useRef } from 'react';

import type { Schemas } from '../../api/client';
import { useMode } from '../../shell/theme';

type Letter = Schemas['LetterAnswer'];
/** Same origin, so that this page may fill it; without `allow-scripts` nothing in it can use that. */
const SANDBOX = 'allow-same-origin allow-popups allow-popups-to-escape-sandbox';
const NEVER = 'script, style, link, meta, base, iframe, frame, object, embed, form, input, button, svg, template';
const SHEETS = /<style\b[^>]*>([\s\S]*?)<\/style>/gi;
const SCRIPTS = /<script\b[\s\S]*?<\/script>/gi;
const TAGS = /<[a-z](?:"[^"]*"|'[^']*'|[^"'>])*>/gi;
const LEADS_OUT = /^(https?:|mailto:)/i;

export function MailFrame({ letter }: { letter: Letter }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const [mode] = useMode();
  const draw = useCallback(() => {
    const found = frame.current;
    const inside = found?.contentDocument;
    const window = found?.contentWindow as (Window & typeof globalThis) | null | undefined;
    if (!found || !inside || !window) return;
    fill(inside, window, letter);
    found.style.blockSize = `${inside.documentElement.scrollHeight}px`;
  }, [letter]);
  useEffect(() => {
    // The frame asks by this whether its readers like it dark.
    const dark = document.body.classList.contains('awsui-dark-mode');
    if (frame.current) frame.current.style.colorScheme = dark ? 'dark' : 'light';
    draw();
    window.addEventListener('resize', draw);
    return () => window.removeEventListener('resize', draw);
  }, [draw, mode]);
  return <iframe ref={frame} className="mail" sandbox={SANDBOX} title={letter.subject} srcDoc="<!doctype html>" onLoad={draw} />;
}

/**
 * Without what the policy refuses: styles wait in `data-style`, handlers are gone. Reading HTML with them would be told
 * in the console already; what this does not see is refused all the same.
 */
function tamed(html: string): string {
  const bare = html.replace(SHEETS, '').replace(SCRIPTS, '');
  return bare.replace(TAGS, (tag) => tag.replace(/\sstyle(?=\s*=)/i, ' data-style').replace(/\son\w+(?=\s*=)/gi, ' data-off'));
}

function fill(inside: Document, window: Window & typeof globalThis, letter: Letter): void {
  const html = letter.html ?? '';
  const mail = new DOMParser().parseFromString(tamed(html), 'text/html');
  const sheet = new window.CSSStyleSheet();
  sheet.replaceSync([...html.matchAll(SHEETS)].map(([, rules]) => rules).join('\n'));
  const pictures = new Map(letter.pictures.map(({ cid, png }) => [`cid:${cid}`, `data:image/png;base64,${png}`]));
  for (const one of mail.querySelectorAll(NEVER)) one.remove();
  for (const one of mail.querySelectorAll('img')) {
    const own = pictures.get(one.getAttribute('src') ?? '');
    one.removeAttribute('srcset');
    // Others would be asked of their servers, which then know who reads.
    if (own) one.src = own;
    else one.removeAttribute('src');
  }
  for (const one of mail.querySelectorAll('a')) {
    if (!LEADS_OUT.test(one.getAttribute('href') ?? '')) one.removeAttribute('href');
    one.target = '_blank';
    one.rel = 'noopener noreferrer';
  }
  inside.replaceChild(inside.adoptNode(mail.documentElement), inside.documentElement);
  inside.adoptedStyleSheets = [sheet];
  for (const one of inside.querySelectorAll<HTMLElement>('[data-style]')) {
    one.style.cssText = one.dataset.style ?? '';
    one.removeAttribute('data-style');
  }
}
