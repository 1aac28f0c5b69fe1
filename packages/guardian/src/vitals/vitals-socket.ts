/**
 * The variable that tells a process where to open its socket: a path of at most 107 bytes, in a folder that only the process
 * and its guardian can use.
 */
export const VITALS_SOCKET = 'BUDDY_VITALS_SOCKET';
