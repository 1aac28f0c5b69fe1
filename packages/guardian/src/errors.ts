import { BuddyError } from '@buddy/core';

/** A playbook, resource or option does not fit the others: nothing was started. */
export class GuardianConfigError extends BuddyError {
  readonly code = 'GUARDIAN_CONFIG';
}

/** Something was asked of a guardian that it cannot do now: an unknown name, a guardian that was stopped. */
export class GuardianMisuseError extends BuddyError {
  readonly code = 'GUARDIAN_MISUSE';
}

/** A step called an effect that it does not declare; the effect was not done. */
export class UndeclaredEffectError extends BuddyError {
  readonly code = 'GUARDIAN_UNDECLARED_EFFECT';
  readonly attempted: string;

  constructor(attempted: string, declared: readonly string[]) {
    const allowed = declared.length === 0 ? 'none' : declared.join(', ');
    super(
      `${attempted} is not among the declared effects (${allowed}); add it to \`effects\`, or do not call it.`,
    );
    this.attempted = attempted;
  }
}

/** A step, an undo or a probe did not end in its time. What it began may have happened. */
export class StepTimeoutError extends BuddyError {
  readonly code = 'GUARDIAN_STEP_TIMEOUT';

  constructor(what: string, timeoutMs: number) {
    super(`${what} did not end within ${timeoutMs} ms`, { effect: 'unknown' });
  }
}

/** The guardian's autonomy does not reach to this step; nothing was done. */
export class AutonomyError extends BuddyError {
  readonly code = 'GUARDIAN_AUTONOMY';
}

/** The guardian was stopped while it worked; open incidents go on at the next start. */
export class GuardianStoppedError extends BuddyError {
  readonly code = 'GUARDIAN_STOPPED';
}

/** The incident file was written by a version that this one does not know. */
export class StoreVersionError extends BuddyError {
  readonly code = 'GUARDIAN_STORE_VERSION';
}

/** Another guardian works on the incident file; nothing was read or written. */
export class StoreInUseError extends BuddyError {
  readonly code = 'GUARDIAN_STORE_IN_USE';

  constructor(file: string) {
    super(
      `Another guardian works on ${file}, in this process or in another: stop it first, or open the file with \`isReadOnly\`.`,
      { retryable: true, effect: 'none' },
    );
  }
}

/** The incident file could not be written; what waited for it was not done. */
export class StoreWriteError extends BuddyError {
  readonly code = 'GUARDIAN_STORE_WRITE';
}

/** A rehearsal could not say whether the playbook heals: the fault did not show, or did not go. */
export class RehearsalError extends BuddyError {
  readonly code = 'GUARDIAN_REHEARSAL';
}

/** The inspector of a process cannot be reached, or hung up: the process ended, is none of Node's, or its port is taken. */
export class InspectorLostError extends BuddyError {
  readonly code = 'GUARDIAN_INSPECTOR_LOST';
}

/** There is no sandbox, or it ended while code ran in it. The code may have done a part of its work. */
export class SandboxDownError extends BuddyError {
  readonly code = 'GUARDIAN_SANDBOX_DOWN';

  constructor() {
    super(
      'The sandbox is not there, or ended while code ran in it; run the job again when it is.',
      {
        effect: 'unknown',
      },
    );
  }
}

/** A job is not run again: its sandbox had to be ended, and it had its second try or gets none. */
export class JobQuarantinedError extends BuddyError {
  readonly code = 'GUARDIAN_JOB_QUARANTINED';
  readonly job: string;

  constructor(job: string) {
    super(
      `Job ${job} is quarantined: the sandbox that it ran in had to be ended. Look at its code.`,
      {
        effect: 'unknown',
      },
    );
    this.job = job;
  }
}

/** A program that runs code is not the pinned one; it was not started. */
export class TemplateChangedError extends BuddyError {
  readonly code = 'GUARDIAN_TEMPLATE_CHANGED';

  constructor(path: string, found: string) {
    super(
      `${path} is not the pinned program (its SHA-256 is ${found}): put the pinned one back, or pin this one.`,
    );
  }
}

/** No release of a policy is signed with the key that was given; nothing was loaded. */
export class PolicyReleaseError extends BuddyError {
  readonly code = 'GUARDIAN_POLICY_RELEASE';
}

/** A queue takes in nothing for a while; the job was not put in. */
export class QueuePausedError extends BuddyError {
  readonly code = 'GUARDIAN_QUEUE_PAUSED';

  constructor(queue: string) {
    super(`${queue} takes in no jobs while it is being healed; try again in a moment.`, {
      retryable: true,
      effect: 'none',
    });
  }
}
