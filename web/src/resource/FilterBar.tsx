/** Filters that combine, in the address: values of one property are either-or, properties and text are and. */
import PropertyFilter, { type PropertyFilterProps } from '@cloudscape-design/components/property-filter';
import { memo, useEffect, useMemo, useRef } from 'react';

import type { Filter } from './describe';
import type { Address } from './useAddress';

const TEXT = 'q';

/** Drawn for an address, not for its rows. */
export const FilterBar = memo(function FilterBar({
  filters,
  search,
  address,
  nouns,
}: {
  filters: readonly Filter[];
  search: string | undefined;
  address: Address;
  nouns: string;
}) {
  const properties = useMemo<PropertyFilterProps.FilteringProperty[]>(
    () =>
      filters.map(({ name, label }) => ({
        key: name,
        propertyLabel: label,
        groupValuesLabel: `Values of ${label.toLowerCase()}`,
        operators: ['='],
      })),
    [filters],
  );
  const options = useMemo<PropertyFilterProps.FilteringOption[]>(
    () =>
      filters.flatMap(({ name, options: values, show }) =>
        (values ?? []).map((value) => ({ propertyKey: name, value, label: show?.(value) ?? value })),
      ),
    [filters],
  );
  const tokens: PropertyFilterProps.Token[] = [
    ...filters.flatMap(({ name }) => (address.state[name] ?? []).map((value) => ({ propertyKey: name, operator: '=' as const, value }))),
    ...(address.state[TEXT] ?? []).map((value) => ({ operator: ':' as const, value })),
  ];
  const take = (query: PropertyFilterProps.Query) => {
    const found: Record<string, string[] | undefined> = { [TEXT]: undefined };
    for (const { name } of filters) found[name] = undefined;
    for (const { propertyKey = TEXT, value } of query.tokens) {
      const text = String(value).trim();
      if (!text) continue;
      // The API looks for one text: the newest one counts.
      if (propertyKey === TEXT) found[TEXT] = [text];
      else found[propertyKey] = [...new Set([...(found[propertyKey] ?? []), text])];
    }
    address.set(found);
  };
  const frame = useKeptHeight();
  return (
    <div ref={frame} className="filter-bar">
      <PropertyFilter
        query={{ tokens, operation: 'and' }}
        hideOperations
        onChange={({ detail }) => take(detail)}
        filteringProperties={properties}
        filteringOptions={options}
        disableFreeTextFiltering={search === undefined}
        filteringPlaceholder={search ? `Search ${search}, or filter` : `Filter ${nouns}`}
        filteringAriaLabel={`Filter ${nouns}`}
        expandToViewport
      />
    </div>
  );
});

/**
 * A first filter makes the bar higher, and a table that learns of it is drawn once more, with the rows of before: while
 * rows are on their way the bar keeps its height a little (prism.css), and grows with them.
 */
function useKeptHeight() {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const bar = frame.current;
    if (!bar) return;
    const seen = new ResizeObserver(() => bar.style.setProperty('--kept-height', `${bar.offsetHeight}px`));
    seen.observe(bar);
    return () => seen.disconnect();
  }, []);
  return frame;
}
