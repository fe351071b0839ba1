import { expect, it } from 'vitest';
import { backOff } from './reconnect';

it('waits longer each time, with jitter, and never over a second', () => {
	expect(backOff(0, 0)).toBe(50);
	expect(backOff(0, 1)).toBe(100);
	expect(backOff(2, 1)).toBe(400);
	for (let tries = 0; tries < 100; tries++) expect(backOff(tries, 1)).toBeLessThanOrEqual(1000);
});
