/** Whether the page goes to paper at this moment: then nothing may be left out because it is out of sight. */
import { useEffect, useState } from 'react';
import { flushSync } from 'react-dom';

const paper = () => window.matchMedia('print');

export function usePrinting(): boolean {
  const [printing, setPrinting] = useState(() => paper().matches);
  useEffect(() => {
    const asked = paper();
    // At once: the browser lays the paper out as soon as the listeners are done.
    const follow = () => flushSync(() => setPrinting(asked.matches));
    asked.addEventListener('change', follow);
    return () => asked.removeEventListener('change', follow);
  }, []);
  return printing;
}
