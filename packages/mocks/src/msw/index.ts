export { mswHandlers, type MswHandlersOptions } from './msw-handlers.ts';
