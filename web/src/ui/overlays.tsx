// Dialogs and menus, right for keyboard and screen readers thanks to react-aria-components. Loaded with the pages that need them.
import { Check, X } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { Button as AriaButton, Dialog as AriaDialog, Header, Heading, Menu as AriaMenu, MenuItem, MenuSection, MenuTrigger, Modal, ModalOverlay, Popover, Separator } from 'react-aria-components'
import { Button, type ButtonKind } from './Button'
import './overlays.css'

interface DialogProps {
  title: ReactNode
  open: boolean
  onClose: () => void
  closeLabel: string
  /** A question must be answered: no way out but its buttons and Escape. */
  question?: boolean
  children: ReactNode
}

export function Dialog({ title, open, onClose, closeLabel, question = false, children }: DialogProps) {
  return (
    <ModalOverlay className="overlay" isOpen={open} isDismissable={!question} onOpenChange={(now) => !now && onClose()}>
      <Modal className="modal">
        <AriaDialog className="dialog" role={question ? 'alertdialog' : 'dialog'}>
          <header>
            <Heading slot="title" level={2}>{title}</Heading>
            {question ? null : <Button kind="quiet" aria-label={closeLabel} icon={<X aria-hidden="true" />} onClick={onClose} />}
          </header>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  )
}

interface ConfirmProps {
  title: ReactNode
  open: boolean
  cancel: string
  act: string
  kind?: ButtonKind
  /** May take its time; the dialog closes when it is done. What it throws is shown by the caller. */
  onAct: () => void | Promise<void>
  onClose: () => void
  children?: ReactNode
}

/** One question that names the consequence. */
export function Confirm({ title, open, cancel, act, kind = 'danger', onAct, onClose, children }: ConfirmProps) {
  const [busy, setBusy] = useState(false)
  const go = () => {
    setBusy(true)
    void Promise.resolve(onAct())
      .catch(() => undefined)
      .finally(() => {
        setBusy(false)
        onClose()
      })
  }
  return (
    <Dialog title={title} open={open} onClose={onClose} closeLabel={cancel} question>
      {children}
      <div className="acts">
        <Button onClick={onClose}>{cancel}</Button>
        <Button kind={kind} busy={busy} onClick={go}>{act}</Button>
      </div>
    </Dialog>
  )
}

export interface MenuEntry {
  id: string
  label: ReactNode
  icon?: ReactNode
  /** For choices of one out of several, such as devices. */
  chosen?: boolean
  danger?: boolean
  onAct: () => void
}
export interface MenuGroup {
  title?: string
  entries: MenuEntry[]
}

/** A group of which one is chosen is told as such: radio items, one of them checked. */
function choice(group: MenuGroup) {
  if (!group.entries.some((entry) => entry.chosen !== undefined)) return {}
  return { selectionMode: 'single' as const, disallowEmptySelection: true, selectedKeys: group.entries.filter((entry) => entry.chosen).map((entry) => entry.id) }
}

interface MenuProps {
  label: string
  className?: string
  button: ReactNode
  groups: MenuGroup[]
  onOpenChange?: (open: boolean) => void
  placement?: 'top' | 'bottom' | 'bottom end' | 'top end'
  /** Not in the order of tabs: where arrows lead to it. */
  excludeFromTabOrder?: boolean
}

export function MenuButton({ label, className = 'btn secondary only-icon', button, groups, placement = 'bottom end', excludeFromTabOrder = false, onOpenChange }: MenuProps) {
  const filled = groups.filter((group) => group.entries.length > 0)
  const entries = new Map(filled.flatMap((group) => group.entries.map((entry) => [entry.id, entry])))
  return (
    <MenuTrigger {...(onOpenChange ? { onOpenChange } : {})}>
      <AriaButton className={className} aria-label={label} excludeFromTabOrder={excludeFromTabOrder}>{button}</AriaButton>
      <Popover className="popover" placement={placement}>
        <AriaMenu className="menu" aria-label={label} onAction={(key) => entries.get(String(key))?.onAct()}>
          {filled.map((group, i) => (
            <MenuSection key={group.title ?? i} aria-label={group.title ?? label} {...choice(group)}>
              {i > 0 ? <Separator className="menu-line" /> : null}
              {group.title ? <Header>{group.title}</Header> : null}
              {group.entries.map((entry) => (
                <MenuItem key={entry.id} id={entry.id} className={`menu-item ${entry.danger ? 'danger' : ''} ${entry.chosen ? 'chosen' : ''}`} textValue={typeof entry.label === 'string' ? entry.label : entry.id}>
                  {entry.icon}
                  {entry.chosen === undefined ? null : <Check aria-hidden="true" className="tick" />}
                  <span>{entry.label}</span>
                </MenuItem>
              ))}
            </MenuSection>
          ))}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  )
}
