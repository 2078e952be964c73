/** A value as a person reads it: instants in their zone, people by their names, all else as its field says. */
import { Who } from '../people/Who';
import { TimeText } from '../time/TimeText';
import { shown, type Field, type Value } from './describe';

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;
/** Of what the platform keeps beside the fields of a form, such as `reporter` and `decided_by`. */
const PERSON = /^(reporter|reviewer|owner|author|member_id)$|_by$/;

export function ShownValue({ name, field, value }: { name: string; field: Field | undefined; value: Value }) {
  // What people typed stays as it is, whatever it looks like.
  if (typeof value === 'string' && value && !field?.show) {
    if (field ? namesSomebody(field) : PERSON.test(name)) return <Who id={value} />;
    if (!field && INSTANT.test(value)) return <TimeText instant={value} />;
  }
  return <>{shown(field, value)}</>;
}

const namesSomebody = ({ input, person }: Field) => person ?? (input.kind === 'of-list' && input.list === '/api/members');
