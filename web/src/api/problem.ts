/**
 * Errors of the API (RFC 9457) as one kind of exception, with words for a person.
 * Belongs here: reading a problem. Does not belong here: showing one (shell/Flash.tsx).
 */
export interface ProblemBody {
  title?: string;
  status?: number;
  detail?: string;
  request_id?: string;
  errors?: { path: string; message: string }[];
  /** Of a 412: the item as it is now, who changed it and when. */
  current?: Record<string, unknown> | null;
  changed_by?: string;
  changed_at?: string;
  change_reason?: string;
}

export class ApiProblem extends Error {
  readonly status: number;
  readonly body: ProblemBody;
  readonly etag: string | null;

  constructor(status: number, body: ProblemBody, etag: string | null = null) {
    super(body.detail ?? body.title ?? `The API answered ${status}.`);
    this.status = status;
    this.body = body;
    this.etag = etag;
  }

  /** What is wrong with a field of the body that was sent; undefined when nothing is. */
  of(field: string): string | undefined {
    const found = this.body.errors?.find(({ path }) => path === `body.${field}` || path.startsWith(`body.${field}.`));
    return found?.message;
  }
}

/** No answer at all: the network, or a platform that is down. Nothing is known to have been written. */
export class Offline extends Error {
  constructor() {
    super('The platform does not answer. What you typed is still here; try again in a moment.');
  }
}

/** The session is over and could not be renewed. */
export class SignedOut extends Error {
  constructor() {
    super('Your session has ended. Sign in again to go on.');
  }
}

export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export async function problemOf(answer: Response): Promise<ApiProblem> {
  let body: ProblemBody;
  try {
    body = (await answer.clone().json()) as ProblemBody;
  } catch {
    // A proxy answered, not the API: the status is all there is to tell.
    body = { title: answer.statusText, status: answer.status };
  }
  return new ApiProblem(answer.status, body, answer.headers.get('etag'));
}
