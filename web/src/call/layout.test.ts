import { describe, expect, it } from 'vitest'
import { grid, inFront, initials, page, perPage } from './layout'

const areas = [{ width: 1256, height: 656 }, { width: 374, height: 660 }, { width: 800, height: 340 }, { width: 300, height: 420 }, { width: 1900, height: 950 }]

describe('the grid', () => {
  it.each(areas)('fits $width x $height for any number of people, between square and 16:9', (area) => {
    for (let n = 1; n <= 30; n++) {
      const { columns, rows, tile } = grid(n, area, 8)
      expect(columns * rows).toBeGreaterThanOrEqual(n)
      expect(columns * (rows - 1)).toBeLessThan(n)
      expect(columns * tile.width + (columns - 1) * 8).toBeLessThanOrEqual(area.width)
      expect(rows * tile.height + (rows - 1) * 8).toBeLessThanOrEqual(area.height)
      const ratio = tile.width / tile.height
      expect(ratio).toBeGreaterThan(0.96)
      expect(ratio).toBeLessThan(1.84)
    }
  })

  it('gives nobody less when one leaves', () => {
    for (const area of areas) {
      for (let n = 2; n <= 30; n++) {
        const more = grid(n, area, 8).tile
        const fewer = grid(n - 1, area, 8).tile
        expect(fewer.width * fewer.height).toBeGreaterThanOrEqual(more.width * more.height * 0.999)
      }
    }
  })

  it('makes faces as large as a phone allows: a face is as large as its tile is tall', () => {
    const phone = { width: 374, height: 660 }
    expect([1, 2, 3, 4].map((n) => grid(n, phone, 8).columns)).toEqual([1, 1, 1, 2])
    expect(grid(4, phone, 8).tile).toEqual({ width: 183, height: 183 })
    const besideAPanel = { width: 480, height: 335 }
    expect(grid(6, besideAPanel, 8).columns).toBe(3)
  })

  it('survives a window without room', () => {
    expect(grid(3, { width: 0, height: 0 }, 8).tile).toEqual({ width: 0, height: 0 })
  })
})

describe('a page', () => {
  it.each([
    [{ width: 1256, height: 656 }, 9], [{ width: 820, height: 900 }, 6], [{ width: 780, height: 330 }, 6],
    [{ width: 374, height: 660 }, 4], [{ width: 374, height: 273 }, 6], [{ width: 304, height: 179 }, 3],
  ])('of %o holds %i tiles', (area, n) => {
    expect(perPage(area)).toBe(n)
  })
})

describe('pages', () => {
  const people = Array.from({ length: 20 }, (_, i) => i)
  it('show everybody once, and oneself last on each', () => {
    const pages = [0, 1, 2].map((n) => page(people, 9, n))
    expect(pages.map((one) => one.pages)).toEqual([3, 3, 3])
    expect(pages.flatMap((one) => one.tiles.slice(0, -1))).toEqual(people.slice(0, -1))
    for (const one of pages) expect(one.tiles.at(-1)).toBe(19)
  })
  it('come back into range when people leave', () => {
    expect(page(people.slice(0, 4), 9, 7)).toEqual({ tiles: [0, 1, 2, 3], page: 0, pages: 1 })
    expect(page(people, 9, 99).page).toBe(2)
    expect(page([], 9, 1).tiles).toEqual([])
  })
  it('hold 9, 6 or 4', () => {
    expect([1280, 800, 390].map((width) => perPage({ width, height: 700 }))).toEqual([9, 6, 4])
  })
})

describe('the spotlight', () => {
  const people = ['a', 'b', 'c', 'me'].map((identity) => ({ identity }))
  const named = (spotlight: string[]) => {
    const { front, others } = inFront(people, spotlight)
    return [front, others].map((all) => all.map(({ identity }) => identity).join(''))
  }
  it('leads in its own order, and the others keep theirs', () => {
    expect(named(['c', 'a'])).toEqual(['ca', 'bme'])
    expect(named(['me'])).toEqual(['me', 'abc'])
  })
  it('on nobody, or on who has left, changes nothing', () => {
    expect(named([])).toEqual(['', 'abcme'])
    expect(named(['gone'])).toEqual(['', 'abcme'])
    expect(inFront(people, []).others).toBe(people)
  })
})

describe('initials', () => {
  it.each([['Anne Bernard', 'AB'], ['élodie', 'É'], ['Jean-Luc  de la Tour', 'JT'], ['محمد علي', 'مع'], ['李 伟', '李伟'], ['', ''], ['🦊', ''], ["Zoe\u0308 O'Neil", 'ZO']])('%s: %s', (name, letters) => {
    expect(initials(name)).toBe(letters)
  })
})
