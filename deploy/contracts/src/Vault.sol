// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// The treasury. Deposits are flushed into it and payouts leave from it, each payout id at most
/// once for ever. The owner (a multisig) names operators and daily limits; operators pay within
/// them. Either may pause, the owner alone unpauses, so that a leaked operator key costs at most
/// the day's limits until it is removed.
contract Vault is Ownable2Step, Pausable, ReentrancyGuard {
    using SafeERC20 for IERC20;

    struct Payout {
        bytes32 payoutId;
        address token;
        address to;
        uint256 amount;
    }

    struct Spending {
        uint256 limitPerDay;
        uint64 day;
        uint192 spent;
    }

    /// Gas that one item of a batch may use, so that a token that burns all its gas fails alone.
    uint256 public constant ITEM_GAS = 300_000;
    /// A batch reverts when less than this is left before an item: ITEM_GAS after the rule of
    /// 63/64, and room for the event. Otherwise too small a gas limit would show as a failed
    /// payout, and gas estimates would be too low.
    uint256 public constant ITEM_GAS_FLOOR = 350_000;

    /// Whether a payout id has been paid. It is never cleared.
    mapping(bytes32 payoutId => bool) public paid;
    mapping(address account => bool) public isOperator;
    mapping(address token => Spending) private _spending;

    event Paid(bytes32 indexed payoutId, address indexed token, address indexed to, uint256 amount);
    event PayFailed(
        bytes32 indexed payoutId,
        address indexed token,
        address indexed to,
        uint256 amount,
        bytes reason
    );
    event OperatorSet(address indexed operator, bool allowed);
    event LimitSet(address indexed token, uint256 amountPerDay);
    event NativeRescued(address indexed to, uint256 amount);

    error AlreadyPaid(bytes32 payoutId);
    error NotOperator(address account);
    error OnlySelf();
    error InvalidRecipient(address to);
    error ZeroAmount();
    error LimitExceeded(address token, uint256 amountPerDay, uint256 spentWithThis);
    error OwnerRequired();
    error TooLittleGas();

    constructor(address owner_) Ownable(owner_) {}

    modifier onlyOperator() {
        if (!isOperator[msg.sender]) revert NotOperator(msg.sender);
        _;
    }

    /// Native currency can arrive only by mistake (a payer sent it to a deposit address);
    /// rescueNative returns it.
    receive() external payable {}

    function setOperator(address operator, bool allowed) external onlyOwner {
        isOperator[operator] = allowed;
        emit OperatorSet(operator, allowed);
    }

    /// Sets what may leave in one token per UTC day. Zero, the state of every token at first, means
    /// that nothing may leave; type(uint256).max means no limit. A new limit counts what has been
    /// spent today already.
    function setLimit(address token, uint256 amountPerDay) external onlyOwner {
        _spending[token].limitPerDay = amountPerDay;
        emit LimitSet(token, amountPerDay);
    }

    function pause() external {
        if (!isOperator[msg.sender] && msg.sender != owner()) revert NotOperator(msg.sender);
        _pause();
    }

    function unpause() external onlyOwner {
        _unpause();
    }

    /// Pays once for each payout id, or reverts with nothing changed.
    function pay(bytes32 payoutId, address token, address to, uint256 amount)
        external
        onlyOperator
        whenNotPaused
        nonReentrant
    {
        _pay(payoutId, token, to, amount);
    }

    /// Pays many. Each item emits exactly one of Paid and PayFailed, and a failed item changes
    /// nothing.
    function payBatch(Payout[] calldata items) external onlyOperator whenNotPaused nonReentrant {
        for (uint256 i = 0; i < items.length; ++i) {
            if (gasleft() < ITEM_GAS_FLOOR) revert TooLittleGas();
            Payout calldata item = items[i];
            try this.payItem{gas: ITEM_GAS}(item) {}
            catch (bytes memory reason) {
                emit PayFailed(item.payoutId, item.token, item.to, item.amount, reason);
            }
        }
    }

    /// One item of payBatch in a call frame of its own; nobody else may call it.
    function payItem(Payout calldata item) external {
        if (msg.sender != address(this)) revert OnlySelf();
        _pay(item.payoutId, item.token, item.to, item.amount);
    }

    function rescueNative(address payable to, uint256 amount)
        external
        onlyOwner
        whenNotPaused
        nonReentrant
    {
        emit NativeRescued(to, amount);
        Address.sendValue(to, amount);
    }

    /// The owner can hand over (in two steps) but not leave: nobody could then remove a leaked
    /// operator.
    function renounceOwnership() public view override onlyOwner {
        revert OwnerRequired();
    }

    function limitOf(address token) external view returns (uint256) {
        return _spending[token].limitPerDay;
    }

    function spentToday(address token) external view returns (uint256) {
        Spending storage spending = _spending[token];
        return spending.day == _today() ? spending.spent : 0;
    }

    // The id and the limit are used up before the token is called.
    function _pay(bytes32 payoutId, address token, address to, uint256 amount) private {
        if (paid[payoutId]) revert AlreadyPaid(payoutId);
        if (to == address(0) || to == address(this)) revert InvalidRecipient(to);
        if (amount == 0) revert ZeroAmount();
        paid[payoutId] = true;
        _spend(token, amount);
        emit Paid(payoutId, token, to, amount);
        IERC20(token).safeTransfer(to, amount);
    }

    function _spend(address token, uint256 amount) private {
        Spending storage spending = _spending[token];
        uint64 today = _today();
        uint256 spent = amount;
        if (spending.day == today) spent += spending.spent;
        if (spent > spending.limitPerDay) revert LimitExceeded(token, spending.limitPerDay, spent);
        spending.day = today;
        spending.spent = SafeCast.toUint192(spent);
    }

    function _today() private view returns (uint64) {
        return SafeCast.toUint64(block.timestamp / 1 days);
    }
}
