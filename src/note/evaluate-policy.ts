import type { WitnessPolicy } from './witness-policy.js'

/** What a set of cosignatures amounts to. */
export interface PolicyOutcome {
  /** Whether the quorum is there; always where nobody has to cosign. */
  readonly isSatisfied: boolean
  /** Operators that count, and how many of them must: what an operator of the log wants to read. */
  readonly operators: Tally
  /** Every group, in the order of the policy. */
  readonly groups: readonly (Tally & { readonly name: string })[]
}

export interface Tally {
  /** How many must have cosigned. */
  readonly threshold: number
  /** Names of the members that have, in the order of the policy. */
  readonly cosigned: readonly string[]
  /** Likewise of those that have not. */
  readonly missing: readonly string[]
}

/**
 * Weighs cosignatures by a policy. Members of groups are counted, never signatures: a witness that signs twice is one, and so is an
 * operator whose witnesses are a group, however many of them signed. Operators are the members of the quorum.
 *
 * @param cosigned names, within the policy, of the witnesses with at least one good cosignature; others do not count
 * @see C2SP tlog-policy
 */
export function evaluatePolicy(
  policy: WitnessPolicy,
  cosigned: ReadonlySet<string>
): PolicyOutcome {
  const counting = new Set(
    policy.witnesses.map(({ name }) => name).filter((name) => cosigned.has(name))
  )
  const groups = policy.groups.map(({ name, threshold, members }) => {
    const tally = tallyOf(threshold, members, counting)
    // Later groups may have this one as a member; earlier ones cannot.
    if (isReached(tally)) counting.add(name)
    return { name, ...tally }
  })
  const { quorum } = policy
  const operators =
    groups.find(({ name }) => name === quorum) ??
    (quorum === undefined ? tallyOf(0, [], counting) : tallyOf(1, [quorum], counting))
  const { threshold, cosigned: present, missing } = operators
  return {
    isSatisfied: isReached(operators),
    operators: { threshold, cosigned: present, missing },
    groups
  }
}

function tallyOf(
  threshold: number,
  members: readonly string[],
  counting: ReadonlySet<string>
): Tally {
  return {
    threshold,
    cosigned: members.filter((name) => counting.has(name)),
    missing: members.filter((name) => !counting.has(name))
  }
}

function isReached({ threshold, cosigned }: Tally): boolean {
  return cosigned.length >= threshold
}
