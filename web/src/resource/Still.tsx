/**
 * A table that stays as it is while other rows are on their way: drawing hundreds of cells twice, once only to say that
 * something is coming, would take longer than the answer. Its parts (filter, pages, buttons) go on meanwhile.
 * Belongs here: what is drawn when. Does not belong here: what a table shows.
 */
import { Component, createContext, useContext, type ComponentProps, type ReactNode } from 'react';

type Parts = Readonly<Record<string, ReactNode>>;
const PartsContext = createContext<Parts>({});

interface Props {
  still: boolean;
  /** What is drawn anew whatever `still` says, by the name of its place. */
  parts: Parts;
  /** What is listened to around the table. */
  listen: Pick<ComponentProps<'div'>, 'onPointerOver' | 'onPointerLeave' | 'onFocus' | 'onBlur'>;
  children: ReactNode;
}

export function StillTable({ still, parts, listen, children }: Props) {
  return (
    <PartsContext.Provider value={parts}>
      <div {...listen} className={still ? 'still-table' : undefined} aria-busy={still}>
        <Kept still={still}>{children}</Kept>
      </div>
    </PartsContext.Provider>
  );
}

/** The place of a part. */
export function Part({ name }: { name: string }) {
  return useContext(PartsContext)[name];
}

class Kept extends Component<{ still: boolean; children: ReactNode }> {
  override shouldComponentUpdate(next: { still: boolean }) {
    return !next.still;
  }

  override render() {
    return this.props.children;
  }
}
