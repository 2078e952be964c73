/** The promises with their burn rates, and the balance of each hour. */
import SpaceBetween from '@cloudscape-design/components/space-between';

import { Hours } from './Hours';
import { Objectives } from './Objectives';

export function Health() {
  return (
    <SpaceBetween size="l">
      <Objectives />
      <Hours />
    </SpaceBetween>
  );
}
