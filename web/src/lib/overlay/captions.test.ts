import { describe, expect, it } from 'vitest';
import { Captions } from './captions';

const shown = (captions: Captions) =>
	captions
		.visible()
		.map((word) => word.text)
		.join(' ');

describe('Captions', () => {
	it('shows only what was spoken', () => {
		const captions = new Captions();
		captions.add('t', 0, 'Hello there, friend!');
		expect(shown(captions)).toBe('');
		expect(captions.reveal('t', 0, 5)).toBe(true);
		expect(shown(captions)).toBe('Hello');
		expect(captions.reveal('t', 0, 5)).toBe(false);
		captions.reveal('t', 0, 20);
		expect(shown(captions)).toBe('Hello there, friend!');
	});

	it('adds short segments to the same page', () => {
		const captions = new Captions();
		captions.add('t', 0, 'Oh,');
		captions.add('t', 1, 'hi!');
		captions.reveal('t', 0, 3);
		captions.reveal('t', 1, 3);
		expect(shown(captions)).toBe('Oh, hi!');
	});

	it('turns the page when the next segment does not fit', () => {
		const captions = new Captions();
		captions.add('t', 0, 'a'.repeat(60));
		captions.add('t', 1, 'b'.repeat(60));
		captions.reveal('t', 0, 60);
		captions.reveal('t', 1, 1);
		expect(shown(captions)).toBe('b');
	});

	it('cuts a long segment between words', () => {
		const captions = new Captions();
		const text = Array.from({ length: 30 }, (_, i) => `word${i}`).join(' ');
		captions.add('t', 0, text);
		const pages = new Set<string>();
		for (let end = 1; end <= text.length; end++) {
			captions.reveal('t', 0, end);
			if (text[end] === ' ' || end === text.length) pages.add(shown(captions));
			expect(shown(captions).length).toBeLessThanOrEqual(84);
		}
		expect(shown(captions).endsWith('word29')).toBe(true);
		for (const page of pages) for (const word of page.split(' ')) expect(text.split(' ')).toContain(word);
	});

	it('never moves a word that stands', () => {
		const captions = new Captions();
		captions.add('t', 0, 'one two three');
		captions.reveal('t', 0, 7);
		const before = captions.visible();
		captions.add('t', 1, 'four');
		captions.reveal('t', 0, 13);
		expect(captions.visible().slice(0, 2)).toEqual(before);
	});

	it('knows one turn at a time', () => {
		const captions = new Captions();
		captions.add('t', 0, 'old');
		captions.add('u', 0, 'new');
		expect(captions.reveal('t', 0, 3)).toBe(false);
		captions.reveal('u', 0, 3);
		expect(shown(captions)).toBe('new');
	});

	it('takes a word of any length and characters of any size', () => {
		const captions = new Captions();
		captions.add('t', 0, '🦊'.repeat(300));
		captions.reveal('t', 0, 300);
		expect(Array.from(shown(captions))).toHaveLength(300);
		captions.add('u', 0, '');
		expect(shown(captions)).toBe('');
	});
});
