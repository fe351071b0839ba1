import { expect, it } from 'vitest';
import { switches } from './switches';

it('shows everything unless told not to', () => {
	expect(switches(new URLSearchParams(''))).toEqual({ captions: true, question: true, mouth: true, sound: true });
	expect(switches(new URLSearchParams('captions=0&sound=off&mouth=1'))).toEqual({
		captions: false,
		question: true,
		mouth: true,
		sound: false
	});
});
